from django.urls import path

from users import views

urlpatterns = [
    path("auth/register/", views.RegisterView.as_view(), name="register"),
    path("auth/token/", views.TokenView.as_view(), name="token"),
    path("auth/token/refresh/", views.RefreshView.as_view(), name="token-refresh"),
    path("auth/logout/", views.LogoutView.as_view(), name="logout"),
    path("auth/me/", views.ProfileView.as_view(), name="profile"),
    path("auth/password/", views.PasswordView.as_view(), name="password"),
    path("auth/password-reset/", views.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password-reset/confirm/", views.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/verify-email/", views.VerifyEmailView.as_view(), name="verify-email"),
    path("me/tokens/", views.PersonalTokenListView.as_view(), name="personal-tokens"),
    path("me/tokens/<int:pk>/", views.PersonalTokenView.as_view(), name="personal-token"),
    path("users/", views.UserListView.as_view(), name="users"),
    path("users/<int:pk>/", views.UserView.as_view(), name="user"),
    path("users/<int:pk>/deactivation/", views.DeactivationView.as_view(), name="user-deactivation"),
]

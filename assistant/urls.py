from django.urls import URLPattern, URLResolver, path

from assistant import views

ONE = "incidents/<str:id>/suggestions/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("suggestions/accuracy/", views.AccuracyView.as_view(), name="suggestions-accuracy"),
    path(ONE, views.SuggestionsView.as_view(), name="suggestions"),
    path(f"{ONE}ask/", views.AskView.as_view(), name="suggestions-ask"),
    path(f"{ONE}<str:suggestion_id>/verdict/", views.VerdictView.as_view(), name="suggestion-verdict"),
]

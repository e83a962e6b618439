"""What of the page is not a file: forms, and links of mails."""

from django.urls import path

from status_page import pages

app_name = "status-page"
urlpatterns = [
    path("subscribe/", pages.subscribe, name="subscribe"),
    path("confirm/<str:token>/", pages.confirm, name="confirm"),
    path("manage/<str:token>/", pages.manage, name="manage"),
    path("unsubscribe/<str:token>/", pages.unsubscribe, name="unsubscribe"),
]

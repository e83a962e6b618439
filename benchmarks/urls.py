"""The project's addresses, and two empty views to measure them against."""

from django.urls import include, path

from benchmarks.views import EmptyView, PostView

urlpatterns = [
    path("bench/empty/", EmptyView.as_view()),
    path("bench/post/", PostView.as_view()),
    path("", include("incident_response.urls")),
]

"""The project's addresses, and two empty views to measure them against."""

from django.urls import include, path

from benchmarks.views import EmptyView, PostView, plain

urlpatterns = [
    path("bench/empty/", EmptyView.as_view()),
    path("bench/plain/", plain),
    path("bench/post/", PostView.as_view()),
    path("", include("incident_response.urls")),
]

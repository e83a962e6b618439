"""The project's addresses with LEGACY_ROUTES on."""

from django.urls import include, path

from incident_response import urls
from incident_response.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("", include("incident_response.legacy.urls")), *urls.urlpatterns]

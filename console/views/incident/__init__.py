"""The page of one incident, and what can be done on it."""

from console.views.incident.urls import urlpatterns

__all__ = ["urlpatterns"]

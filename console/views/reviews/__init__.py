"""Reviews after incidents: their list, their pages, what is to be done, and the rules that require them."""

from console.views.reviews.urls import urlpatterns

__all__ = ["urlpatterns"]

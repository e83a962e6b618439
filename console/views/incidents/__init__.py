"""The list of incidents: what it shows, and what people do to many at once."""

from django.urls import path

from console.views.incidents import acting, listing, saving

urlpatterns = [
    path("incidents/", listing.incidents, name="incidents"),
    path("incidents/matching/", listing.matching, name="incidents-matching"),
    path("incidents/export.csv", listing.export, name="incidents-export"),
    path("incidents/act/", acting.act, name="incidents-act"),
    path("incidents/bulk/", acting.bulk, name="incidents-bulk"),
    path("incidents/columns/", saving.columns, name="incidents-columns"),
    path("incidents/views/", saving.save, name="incidents-views"),
    path("incidents/views/<int:pk>/", saving.change, name="incidents-view"),
]

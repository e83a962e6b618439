"""The API's routes."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from alerts.views import alerts, changes, reassign, routing, sources

router = SimpleRouter()
router.register("sources", sources.SourceViewSet, basename="source")
router.register("heartbeats", sources.HeartbeatViewSet, basename="heartbeat")
router.register("routes", routing.RouteViewSet, basename="route")
router.register("silences", routing.SilenceViewSet, basename="silence")

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("alerts/", alerts.AlertListView.as_view(), name="alert-list"),
    path("alerts/split/", reassign.AlertSplitView.as_view(), name="alert-split"),
    path("alerts/<int:alert_id>/move/", reassign.AlertMoveView.as_view(), name="alert-move"),
    path("alerts/<int:alert_id>/", alerts.AlertView.as_view(), name="alert"),
    path("changes/", changes.ChangeListView.as_view(), name="change-list"),
    path("incidents/<str:id>/alerts/", alerts.IncidentAlertsView.as_view(), name="incident-alerts"),
    path("incidents/<str:id>/merge/", reassign.IncidentMergeView.as_view(), name="incident-merge"),
    path("incidents/<str:id>/changes/", changes.IncidentChangesView.as_view(), name="incident-changes"),
]

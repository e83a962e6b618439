"""The API's routes; senders' endpoints are in `alerts.endpoints`."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from alerts.views import alerts, changes, intake, reassign, routing, sources

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
    path("intake-events/", intake.IntakeEventListView.as_view(), name="intake-event-list"),
    path("intake-events/replay/", intake.IntakeReplayView.as_view(), name="intake-replay"),
    path("intake-events/<int:event_id>/", intake.IntakeEventView.as_view(), name="intake-event"),
    path("intake-events/<int:event_id>/replay/", intake.IntakeEventReplayView.as_view(), name="intake-event-replay"),
    path("incidents/<str:id>/alerts/", alerts.IncidentAlertsView.as_view(), name="incident-alerts"),
    path("incidents/<str:id>/merge/", reassign.IncidentMergeView.as_view(), name="incident-merge"),
    path("incidents/<str:id>/changes/", changes.IncidentChangesView.as_view(), name="incident-changes"),
]

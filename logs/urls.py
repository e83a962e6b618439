"""The routes of the API, and the doors of log senders."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from alerts.intake.http import patterns
from logs.doors import DOORS
from logs.views import entries, rules, templates

router = SimpleRouter()
router.register("detection-rules", rules.DetectionRuleViewSet, basename="detection-rule")

urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("logs/templates/", templates.LogTemplatesView.as_view(), name="log-templates"),
    path("simulate-incident/", rules.SimulateIncidentView.as_view(), name="simulate-incident"),
    path("logs/", entries.LogEntriesView.as_view(), name="log-list"),
    path("logs/<int:id>/", entries.LogEntryView.as_view(), name="log"),
]

doors = patterns(*DOORS)

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

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

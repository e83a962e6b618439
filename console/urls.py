from django.urls import URLPattern, URLResolver

from console.views import (
    alerts,
    covering,
    dashboard,
    deliveries,
    inbox,
    incident,
    incidents,
    lineups,
    load,
    oncall,
    policies,
    routes,
    search,
    settings,
    sign_in,
    silences,
    styleguide,
    system,
    undo,
)

app_name = "console"

urlpatterns: list[URLPattern | URLResolver] = [
    *dashboard.urlpatterns,
    *incident.urlpatterns,
    *incidents.urlpatterns,
    *undo.urlpatterns,
    *inbox.urlpatterns,
    *oncall.urlpatterns,
    *covering.urlpatterns,
    *lineups.urlpatterns,
    *load.urlpatterns,
    *policies.urlpatterns,
    *deliveries.urlpatterns,
    *system.urlpatterns,
    *search.urlpatterns,
    *sign_in.urlpatterns,
    *settings.urlpatterns,
    *styleguide.urlpatterns,
    *alerts.urlpatterns,
    *routes.urlpatterns,
    *silences.urlpatterns,
]

from django.urls import URLPattern, URLResolver

from console.views import (
    alerts,
    dashboard,
    inbox,
    incidents,
    routes,
    search,
    settings,
    sign_in,
    silences,
    styleguide,
)

app_name = "console"

urlpatterns: list[URLPattern | URLResolver] = [
    *dashboard.urlpatterns,
    *incidents.urlpatterns,
    *inbox.urlpatterns,
    *search.urlpatterns,
    *sign_in.urlpatterns,
    *settings.urlpatterns,
    *styleguide.urlpatterns,
    *alerts.urlpatterns,
    *routes.urlpatterns,
    *silences.urlpatterns,
]

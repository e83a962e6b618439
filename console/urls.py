from django.urls import URLPattern, URLResolver

from console.views import dashboard, inbox, incidents, search, styleguide

app_name = "console"

urlpatterns: list[URLPattern | URLResolver] = [
    *dashboard.urlpatterns,
    *incidents.urlpatterns,
    *inbox.urlpatterns,
    *search.urlpatterns,
    *styleguide.urlpatterns,
]

from django.urls import URLPattern, URLResolver

from console.views import dashboard, inbox, incidents, search, settings, sign_in, styleguide

app_name = "console"

urlpatterns: list[URLPattern | URLResolver] = [
    *dashboard.urlpatterns,
    *incidents.urlpatterns,
    *inbox.urlpatterns,
    *search.urlpatterns,
    *sign_in.urlpatterns,
    *settings.urlpatterns,
    *styleguide.urlpatterns,
]

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from status_page import views

router = SimpleRouter()
router.register("groups", views.GroupViewSet, basename="status-group")
router.register("components", views.ComponentViewSet, basename="status-component")
router.register("incidents", views.PublicIncidentViewSet, basename="status-incident")
router.register("maintenance", views.MaintenanceViewSet, basename="status-maintenance")
router.register("templates", views.TemplateViewSet, basename="status-template")
router.register("subscribers", views.SubscriberViewSet, basename="status-subscriber")

of_incident = SimpleRouter()
of_incident.register("updates", views.IncidentUpdatesViewSet, basename="status-incident-update")
of_maintenance = SimpleRouter()
of_maintenance.register("updates", views.MaintenanceUpdatesViewSet, basename="status-maintenance-update")

# Below /api/v1/status/.
urlpatterns = [
    *router.urls,
    path("incidents/<int:announcement_id>/", include(of_incident.urls)),
    path("maintenance/<int:announcement_id>/", include(of_maintenance.urls)),
    path("page/", views.StatusPageView.as_view(), name="status-page"),
    path("page/logo/", views.LogoView.as_view(), name="status-logo"),
    path("page/access-key/", views.AccessKeyView.as_view(), name="status-access-key"),
]

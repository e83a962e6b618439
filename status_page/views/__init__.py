from status_page.views.announcements import (
    IncidentUpdatesViewSet,
    MaintenanceUpdatesViewSet,
    MaintenanceViewSet,
    PublicIncidentViewSet,
)
from status_page.views.configuration import (
    AccessKeyView,
    ComponentViewSet,
    GroupViewSet,
    LogoView,
    StatusPageView,
    TemplateViewSet,
)
from status_page.views.subscribers import SubscriberViewSet

__all__ = [
    "AccessKeyView",
    "ComponentViewSet",
    "GroupViewSet",
    "IncidentUpdatesViewSet",
    "LogoView",
    "MaintenanceUpdatesViewSet",
    "MaintenanceViewSet",
    "PublicIncidentViewSet",
    "StatusPageView",
    "SubscriberViewSet",
    "TemplateViewSet",
]

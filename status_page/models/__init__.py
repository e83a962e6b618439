from status_page.models.announcements import ImpactSpan, PublicIncident, PublicUpdate, UpdateTemplate
from status_page.models.page import Component, ComponentGroup, StatusPage
from status_page.models.subscribers import Subscriber

__all__ = [
    "Component",
    "ComponentGroup",
    "ImpactSpan",
    "PublicIncident",
    "PublicUpdate",
    "StatusPage",
    "Subscriber",
    "UpdateTemplate",
]

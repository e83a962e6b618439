from remediation.views.runbooks import FreezeWindowViewSet, RunbookSecretViewSet, RunbookViewSet, StopView
from remediation.views.runs import IncidentRunsView, RunViewSet

__all__ = [
    "FreezeWindowViewSet",
    "IncidentRunsView",
    "RunViewSet",
    "RunbookSecretViewSet",
    "RunbookViewSet",
    "StopView",
]

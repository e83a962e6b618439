from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.filters import ALERTS
from alerts.models import Alert
from alerts.serializers.alerts import AlertPageSerializer, AlertSerializer, represent
from alerts.serializers.fields import MAX_ID
from core.api.listing import page_parameters
from core.api.paging import page_of
from core.errors import NotFound
from incidents.models import Incident
from incidents.views.lookup import INCIDENT_ID, incident_for
from users.authentication import person


class AlertListView(APIView):
    """Alerts visible to the caller."""

    @extend_schema(
        operation_id="alerts_list",
        summary=_("List alerts"),
        parameters=ALERTS.parameters,
        responses=AlertPageSerializer,
    )
    def get(self, request: Request) -> Response:
        caller = person(request)
        asker = Incident.objects.visibility_key(caller)
        return ALERTS.page(request, lambda: Alert.objects.visible_to(caller), asker=asker).respond(represent)


class AlertView(APIView):
    """An alert."""

    @extend_schema(operation_id="alerts_retrieve", summary=_("Get an alert"), responses=AlertSerializer)
    def get(self, request: Request, alert_id: int) -> Response:
        return Response(represent(alerts_for(request, [alert_id])[0]))


class IncidentAlertsView(APIView):
    """The alerts of an incident."""

    orderings = ALERTS.orderings
    default_ordering = ALERTS.default_ordering

    @extend_schema(
        operation_id="incident_alerts_list",
        summary=_("List an incident's alerts"),
        parameters=[INCIDENT_ID, *page_parameters()],
        responses=AlertPageSerializer,
    )
    def get(self, request: Request, id: str) -> Response:
        alerts = Alert.objects.filter(incident=incident_for(request, id)).prefetch_related("source")
        return page_of(alerts, request, self, lambda rows: [represent(alert) for alert in rows])


def alerts_for(request: Request, ids: list[int]) -> list[Alert]:
    """Return these alerts in order. Raises NotFound for absent or invisible ones."""
    known = [pk for pk in ids if pk <= MAX_ID]
    visible = Alert.objects.visible_to(person(request)).filter(pk__in=known).select_related("source", "incident")
    found = {alert.pk: alert for alert in visible.order_by()}
    missing = [pk for pk in ids if pk not in found]
    if missing:
        message = ngettext(
            "Alert %(alerts)s does not exist, or you do not have access to it.",
            "Alerts %(alerts)s do not exist, or you do not have access to them.",
            len(missing),
        )
        raise NotFound(message % {"alerts": ", ".join(map(str, missing[:10]))})
    return [found[pk] for pk in dict.fromkeys(ids)]

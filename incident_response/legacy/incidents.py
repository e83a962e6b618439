"""`/incidents`, and `/tickets`, which are the same incidents in other words."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.paging import KeysetPagination
from core.api.permissions import IsResponder
from core.api.problems import refuse
from core.errors import PermissionRefused, StaleVersion
from incident_response.legacy import reading
from incident_response.legacy.answers import incident_answers, page_answer
from incident_response.legacy.base import Legacy, rename_limit, replace_data, with_query
from incidents import metrics, services
from incidents.filters import INCIDENTS, filter_incidents
from incidents.models import Incident
from incidents.serializers.incidents import IncidentUpdateSerializer
from incidents.views.incidents import IncidentViewSet, expected_versions
from incidents.views.lookup import NUMBER, incident_for, number_of, row_for
from incidents.views.responses import incident_response
from users.authentication import person

PAGE_SIZE = 20
ATTEMPTS = 3


class IncidentsView(Legacy, IncidentViewSet):
    """`/incidents` and `/incidents/{id}`."""

    page = "console:incidents"
    rows_name = "incidents"
    is_ticket = False

    def page_address(self, request: HttpRequest, **kwargs: Any) -> str:
        match = NUMBER.match(kwargs.get("id", ""))
        if match is None:
            return super().page_address(request)
        return with_query(reverse("console:incident", args=[f"INC-{match[1]}"]), request)

    def list(self, request: Request) -> Response:
        _rename_filters(request)
        response = super().list(request)
        rows = self.answers(response.data["results"])
        found = filter_incidents(
            Incident.objects.visible_to(person(request)), request, also=frozenset(KeysetPagination.parameters)
        )
        counts = metrics.incident_summary(found, is_filtered=bool(INCIDENTS.given(request)), viewer=person(request))
        size = int(request.query_params["page_size"])
        return Response(page_answer(self.rows_name, response.data, rows, total=counts["total"], page_size=size))

    def create(self, request: Request) -> Response:
        return self.told(super().create(request))

    def prepare(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.action == "create":
            _check_names(request, request.data)
            replace_data(request, self.new_fields(request.data))
        super().prepare(request, *args, **kwargs)

    def retrieve(self, request: Request, id: str) -> Response:
        if "as_of" in request.query_params:
            refuse("as_of", "Ask the API for an earlier time.", "unknown_filter")
        return self.told(super().retrieve(request, id))

    def update(self, request: Request, id: str) -> Response:
        """Change what is sent, and nothing else."""
        return self.changed(request, id, request.data)

    def changed(self, request: Request, id: str, data: Any) -> Response:
        keeps_labels = reading.needs_description(data)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.told(self._change(request, id, data, keeps_labels=keeps_labels))
            except StaleVersion:
                # somebody wrote between our reading of the description and our writing
                if not keeps_labels or attempt == ATTEMPTS or "If-Match" in request.headers:
                    raise
        raise AssertionError("unreachable")

    def new_fields(self, data: Any) -> Any:
        return reading.fields_of(data)

    def answers(self, rows: Any) -> Any:
        return incident_answers(rows, is_ticket=self.is_ticket)

    def told(self, response: Response) -> Response:
        response.data = self.answers([response.data])[0]
        return response

    def _change(self, request: Request, id: str, data: Any, *, keeps_labels: bool) -> Response:
        row = row_for(request, id)  # whoever does not see it hears of nothing else
        _check_names(request, data)
        serializer = IncidentUpdateSerializer(
            data=reading.fields_of(data, described=row["description"]), partial=True, context={"request": request}
        )
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        versions = expected_versions(request)
        if versions is None and keeps_labels:
            versions = [row["version"]]
        changed = services.update(
            number_of(id),
            by=person(request),
            status=fields.pop("status", None),
            note=fields.pop("note", ""),
            fields=fields,
            expected_versions=versions,
        )
        return incident_response(changed, request)


class TicketsView(IncidentsView):
    """`/tickets` and `/tickets/{id}`."""

    rows_name = "tickets"
    is_ticket = True

    def new_fields(self, data: Any) -> Any:
        return reading.ticket_fields_of(data)

    def partial_update(self, request: Request, id: str) -> Response:
        return self.update(request, id)

    def set_priority(self, request: Request, id: str) -> Response:
        """Take `{priority}` alone."""
        incident_for(request, id)
        data = request.data
        if not hasattr(data, "keys") or set(data.keys()) != {"priority"}:
            refuse("priority", "Send the priority, and nothing else.")
        return self.changed(request, id, data)


class TicketView(TicketsView):
    """`/ticket`: POST makes one; GET returns the one of `?id=`, or says what POST takes."""

    page = "console:report"

    def form(self, request: Request) -> Response:
        ids = [request.query_params[name] for name in ("id", "ticket_id") if name in request.query_params]
        if ids:
            return self.told(incident_response(row_for(request, ids[0]), request))
        return Response(reading.ticket_form())


def _check_names(request: Request, data: Any) -> None:
    """Refuse 403 to whoever may not list people: a name's answer would say who there is."""
    if reading.names_person(data) and not (person(request).is_responder or person(request).is_admin):
        raise PermissionRefused(IsResponder.message)


def _rename_filters(request: Request) -> None:
    """Take the earlier systems' parameters for ours, page by page as they did."""
    rename_limit(request)
    query = request._request.GET.copy()
    query.setdefault("page_size", str(PAGE_SIZE))
    if query.pop("page", ["1"]) != ["1"]:
        refuse("page", "Pages have no numbers here; follow `next`.", "unknown_filter")
    if (teams := query.pop("assigned_team", None)) is not None:
        query["team"] = str(reading.team_named(teams[-1], "assigned_team") or "none")
    request._request.GET = query  # type: ignore[assignment]  # of the same kind

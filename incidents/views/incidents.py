"""The routes of incidents: list, one, bulk, summary, export."""

from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentParts, IdempotentWrites, Parts
from core.api.parameters import IDEMPOTENCY_KEY, IF_MATCH
from core.api.problems import refuse, refuse_unknown_parameters
from core.api.schema import paged
from core.errors import PermissionRefused, StaleVersion
from core.severity import Severity
from incidents import metrics, services
from incidents.export import csv_rows
from incidents.filters import INCIDENTS, filter_incidents
from incidents.models import Incident
from incidents.representation import rows_of
from incidents.serializers.incidents import (
    BulkResultsSerializer,
    BulkSerializer,
    IncidentCreateSerializer,
    IncidentDetailSerializer,
    IncidentFieldsSerializer,
    IncidentSerializer,
    IncidentUpdateSerializer,
)
from incidents.serializers.metrics import SlaMetricsSerializer, SummarySerializer
from incidents.services import NewIncident, attaching
from incidents.views.lookup import INCIDENT_ID, incident_for, number_of, row_for
from incidents.views.pages import IncidentPages
from incidents.views.responses import incident_as_of, incident_page, incident_response
from incidents.views.uploads import FilesParser, StoresFiles
from users.authentication import person
from users.models import User

FILTER_PARAMETERS = INCIDENTS.filter_parameters
AS_OF = OpenApiParameter("as_of", OpenApiTypes.DATETIME, description=_("Show the incident as it stood at this time."))
ONE = [INCIDENT_ID, IF_MATCH, IDEMPOTENCY_KEY]


class IncidentViewSet(StoresFiles, IdempotentWrites, ViewSet):
    """Incidents that the caller may see; `{id}` is a number or a reference."""

    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"
    parser_classes = [FilesParser, *api_settings.DEFAULT_PARSER_CLASSES]

    new: NewIncident | None = None  # what is reported, once it was read

    @extend_schema(
        operation_id="incidents_list",
        summary=_("List incidents"),
        parameters=INCIDENTS.parameters,
        responses=paged(IncidentSerializer),
    )
    def list(self, request: Request) -> Response:
        viewer = person(request)
        pages = INCIDENTS.page(
            request,
            lambda: rows_of(Incident.objects.visible_to(viewer)),
            asker=Incident.objects.visibility_key(viewer),
            kind=IncidentPages,
        )
        return pages.get_paginated_response(incident_page(pages.rows, request))

    @extend_schema(
        operation_id="incidents_create",
        summary=_("Report an incident"),
        parameters=[IDEMPOTENCY_KEY],
        request={
            "application/json": IncidentFieldsSerializer,
            "multipart/form-data": IncidentCreateSerializer,
        },
        responses={201: IncidentDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        if self.new is None:
            self.prepare(request)
        new: NewIncident = self.new  # type: ignore[assignment]  # prepared
        incident = services.open_incident(new, by=person(request))
        slugs = sorted({service.slug for service in new.services})
        files = self.stored.rows if self.stored else []
        response = incident_response(incident, request, status=http.HTTP_201_CREATED, services=slugs, files=files)
        response["Location"] = response.data["url"]
        return response

    def prepare(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Read a report, and store its files, before its transaction begins."""
        if self.action != "create":
            return
        serializer = IncidentCreateSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        if files := fields.pop("attachments", None):
            self.stored = attaching.store(attaching.inspect(files))
        self.new = NewIncident(**fields, files=self.stored or ())

    @extend_schema(
        operation_id="incidents_retrieve",
        summary=_("Get an incident, now or at an earlier time"),
        parameters=[INCIDENT_ID, AS_OF],
        responses={200: IncidentDetailSerializer},
    )
    def retrieve(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, {"as_of"})
        if "as_of" in request.query_params:
            return Response(incident_as_of(incident_for(request, id), request))
        return incident_response(row_for(request, id), request)

    @extend_schema(
        operation_id="incidents_update",
        summary=_("Replace an incident's report"),
        description=_(
            "Omitted fields are reset to their defaults, except team, assignee, `is_restricted`, `occurred_at` "
            "and status, which change only if you send them."
        ),
        parameters=ONE,
        request=IncidentUpdateSerializer,
        responses={200: IncidentDetailSerializer},
    )
    def update(self, request: Request, id: str) -> Response:
        return self._update(request, id, partial=False)

    @extend_schema(
        operation_id="incidents_partial_update",
        summary=_("Update an incident"),
        parameters=ONE,
        request=IncidentUpdateSerializer,
        responses={200: IncidentDetailSerializer},
    )
    def partial_update(self, request: Request, id: str) -> Response:
        return self._update(request, id, partial=True)

    @extend_schema(
        operation_id="incidents_destroy", summary=_("Delete an incident"), parameters=ONE, responses={204: None}
    )
    def destroy(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        services.delete(incident, by=person(request), expected_versions=expected_versions(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="incidents_summary",
        summary=_("Count incidents by status, severity, team and category"),
        parameters=FILTER_PARAMETERS,
        responses=SummarySerializer,
    )
    @action(detail=False)
    def summary(self, request: Request) -> Response:
        viewer = person(request)
        incidents = filter_incidents(Incident.objects.visible_to(viewer), request)
        return Response(metrics.incident_summary(incidents, is_filtered=_is_filtered(request), viewer=viewer))

    @extend_schema(
        operation_id="incidents_export",
        summary=_("Export incidents as CSV"),
        description=_("The incidents that match all filters, streamed, the newest first."),
        parameters=FILTER_PARAMETERS,
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    @action(detail=False)
    def export(self, request: Request) -> HttpResponseBase:
        incidents = filter_incidents(Incident.objects.visible_to(person(request)), request)
        response = StreamingHttpResponse(csv_rows(incidents), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="incidents-{timezone.now():%Y-%m-%d}.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _update(self, request: Request, id: str, *, partial: bool) -> Response:
        try:
            fields = _read_changes(request, partial=partial)
            if not partial:
                fields = {**_left_out(person(request)), **fields}
            versions = expected_versions(request)
        except (APIException, StaleVersion):
            incident_for(request, id)  # whoever does not see it hears of nothing else
            raise
        changed = services.update(
            number_of(id),
            by=person(request),
            status=fields.pop("status", None),
            note=fields.pop("note", ""),
            fields=fields,
            expected_versions=versions,
        )
        return incident_response(changed, request)


def _read_changes(request: Request, *, partial: bool) -> dict[str, Any]:
    serializer = IncidentUpdateSerializer(data=request.data, partial=partial, context={"request": request})
    serializer.is_valid(raise_exception=True)
    fields = dict(serializer.validated_data)
    if set(fields) == {"note"}:
        refuse("note", "A note needs a change; to add only a note, post it to the timeline.")
    return fields


def _left_out(by: User) -> dict[str, Any]:
    """What a PUT leaves out of the report, as a new one would have it; the rest is changed by acts of its own."""
    blank: dict[str, Any] = {"description": ""}
    if by.is_admin or by.is_responder:
        blank |= {"location": "", "category": None, "services": [], "severity": Severity.MEDIUM, "priority": None}
    return blank


class IncidentBulkViewSet(IdempotentParts, ViewSet):
    """One change to up to 200 incidents; each succeeds or is refused by itself.

    A repeat with its `Idempotency-Key` does what is left.
    """

    @extend_schema(
        operation_id="incidents_bulk",
        summary=_("Update up to 200 incidents"),
        parameters=[IDEMPOTENCY_KEY],
        request=BulkSerializer,
        responses={200: BulkResultsSerializer},
    )
    def create(self, request: Request) -> HttpResponseBase:
        return super().post(request)

    def parts(self, request: Request) -> Parts:
        """Each incident is one."""
        by = person(request)
        if not (by.is_admin or by.is_responder):
            raise PermissionRefused("Only responders and administrators can update incidents in bulk.")
        serializer = BulkSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        ids = dict.fromkeys(fields.pop("ids"))
        how = {name: fields.pop(name, None) for name in ("status", "note", "grants_access")}
        return Parts(
            names=[str(number) for number in ids],
            work=lambda number: services.update_one(int(number), by=by, fields=fields, **how),
            busy=lambda number, error: services.refused(int(number), error),
            answer=lambda results: Response({"results": results}),
        )


class MetricsViewSet(ViewSet):
    """Response and resolution metrics."""

    @extend_schema(
        operation_id="metrics_sla",
        summary=_("Get times to acknowledge and resolve, and SLA compliance"),
        parameters=[
            *FILTER_PARAMETERS,
            OpenApiParameter("group_by", OpenApiTypes.STR, enum=list(metrics.GROUPINGS), description=_("Group by.")),
        ],
        responses=SlaMetricsSerializer,
    )
    @action(detail=False)
    def sla(self, request: Request) -> Response:
        viewer = person(request)
        incidents = filter_incidents(Incident.objects.visible_to(viewer), request, also=frozenset({"group_by"}))
        group_by = request.query_params.get("group_by")
        if group_by is not None and group_by not in metrics.GROUPINGS:
            refuse("group_by", f"Cannot group by {group_by}. Valid groupings: {', '.join(metrics.GROUPINGS)}.")
        answer = metrics.response_metrics(
            incidents, is_filtered=_is_filtered(request), viewer=viewer, group_by=group_by, now=timezone.now()
        )
        return Response(answer)


def _is_filtered(request: Request) -> bool:
    return any(request.query_params.get(name) for name in INCIDENTS.filters)


def expected_versions(request: Request) -> list[int] | None:
    """The versions that `If-Match` names, any of which will do; None without it, or for `*`.

    Weak tags never match here (RFC 9110, section 13.1.1).
    """
    tags = [tag.strip() for tag in request.headers.get("If-Match", "*").split(",")]
    if "*" in tags:
        return None
    numbers = [tag.removeprefix('"').removesuffix('"') for tag in tags]
    versions = [int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 10]
    if not versions:
        raise StaleVersion("If-Match is not the ETag of any version of this incident.")
    return versions

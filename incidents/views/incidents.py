"""The incident routes: list, one, summary, bulk, export."""

from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from core.api.idempotency import IdempotentParts, IdempotentWrites, Parts
from core.api.listing import page_parameters
from core.api.problems import moment_of, refuse, refuse_unknown_parameters
from core.api.schema import paged
from core.db import rows
from core.db.prepared import Parameter
from core.errors import NotFound, PermissionRefused, StaleVersion
from core.severity import Severity
from incidents import services
from incidents.export import csv_rows
from incidents.filters import INCIDENTS, filter_incidents
from incidents.models import Attachment, Incident, IncidentEvent
from incidents.representation import represent, represent_all, row_of, rows_of, service_slugs
from incidents.serializers.attachments import AttachmentSerializer
from incidents.serializers.incidents import (
    BulkResultsSerializer,
    BulkSerializer,
    IncidentCreateSerializer,
    IncidentDetailSerializer,
    IncidentFieldsSerializer,
    IncidentSerializer,
    IncidentUpdateSerializer,
)
from incidents.services import attaching
from incidents.snapshot import replay_changes
from incidents.views.lookup import incident_for, number_of, row_for
from incidents.views.pages import IncidentPages
from incidents.views.uploads import FilesParser, StoresFiles
from users.models import User

FILTER_PARAMETERS = INCIDENTS.filter_parameters
PAGE_PARAMETERS = page_parameters(*INCIDENTS.orderings)
IF_MATCH = OpenApiParameter("If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="The ETag last read.")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER, description="Makes a repeat of the request harmless."
)
AS_OF = OpenApiParameter("as_of", OpenApiTypes.DATETIME, description="The incident as it stood then.")


class IncidentListView(StoresFiles, IdempotentWrites, APIView):
    """All incidents the caller may see, and reporting a new one."""

    parser_classes = [FilesParser, *APIView.parser_classes]
    fields: dict[str, Any] | None = None  # of a new incident, once they were read

    @extend_schema(
        operation_id="incidents_list",
        summary="List incidents",
        parameters=[*FILTER_PARAMETERS, *PAGE_PARAMETERS],
        responses=paged(IncidentSerializer),
    )
    def get(self, request: Request) -> Response:
        pages = IncidentPages(person(request), request)
        pages.load(request, lambda: rows_of(Incident.objects.visible_to(person(request))))
        return pages.get_paginated_response(shown(pages.rows, request))

    @extend_schema(
        operation_id="incidents_create",
        summary="Report an incident",
        parameters=[IDEMPOTENCY_KEY],
        request={
            "application/json": IncidentFieldsSerializer,
            "multipart/form-data": IncidentCreateSerializer,
        },
        responses={201: IncidentDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        if self.fields is None:
            self.prepare(request)
        fields = self.fields or {}
        incident = services.open_incident(services.NewIncident(**fields, files=self.stored or ()), by=person(request))
        slugs = sorted(service.slug for service in fields.get("services", ()))
        files = self.stored.rows if self.stored else []
        response = one(incident, request, status=http.HTTP_201_CREATED, services=slugs, files=files)
        response["Location"] = response.data["url"]
        return response

    def prepare(self, request: Request) -> None:
        """Read the report, and store its files once it is found good."""
        serializer = IncidentCreateSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        self.fields = dict(serializer.validated_data)
        if files := self.fields.pop("attachments", None):
            self.stored = attaching.store(attaching.inspect(files))


class IncidentView(IdempotentWrites, APIView):
    """One incident, by number or reference."""

    @extend_schema(
        operation_id="incidents_retrieve",
        summary="Show an incident, now or as it stood",
        parameters=[AS_OF],
        responses={200: IncidentDetailSerializer},
    )
    def get(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, {"as_of"})
        if "as_of" in request.query_params:
            return Response(_as_of(incident_for(request, id), request))
        return _in_full(row_for(request, id), request)

    @extend_schema(
        operation_id="incidents_update",
        summary="Replace what an incident reports",
        description="What is left out of description, severity, priority, category, location and services becomes as "
        "in a new report. Team, assignee, `is_restricted`, `occurred_at` and status stay unless they are sent.",
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request=IncidentUpdateSerializer,
        responses={200: IncidentDetailSerializer},
    )
    def put(self, request: Request, id: str) -> Response:
        return self._update(request, id, partial=False)

    @extend_schema(
        operation_id="incidents_partial_update",
        summary="Change an incident",
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request=IncidentUpdateSerializer,
        responses={200: IncidentDetailSerializer},
    )
    def patch(self, request: Request, id: str) -> Response:
        return self._update(request, id, partial=True)

    @extend_schema(
        operation_id="incidents_destroy",
        summary="Delete an incident",
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        responses={204: None},
    )
    def delete(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        services.delete(incident, by=person(request), expected_versions=expected_versions(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    def _update(self, request: Request, id: str, *, partial: bool) -> Response:
        try:
            fields = _wanted_changes(request, partial=partial)
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
        return one(changed, request)


def _wanted_changes(request: Request, *, partial: bool) -> dict[str, Any]:
    """The fields to change, the status and the note of a request."""
    serializer = IncidentUpdateSerializer(data=request.data, partial=partial, context={"request": request})
    serializer.is_valid(raise_exception=True)
    fields = dict(serializer.validated_data)
    if set(fields) == {"note"}:
        refuse("note", "A note goes with a change; to say something by itself, add it to the timeline.")
    return fields


def _left_out(by: User) -> dict[str, Any]:
    """What a PUT leaves out of the report, as a new one would have it. Who has the incident, who sees it, when it
    happened and where it stands are acts of their own, and stay."""
    blank: dict[str, Any] = {"description": ""}
    if by.is_admin or by.is_responder:
        blank |= {"location": "", "category": None, "services": [], "severity": Severity.MEDIUM, "priority": None}
    return blank


class IncidentBulkView(IdempotentParts, APIView):
    """One change to up to 200 incidents; each succeeds or is refused by itself."""

    @extend_schema(
        operation_id="incidents_bulk",
        summary="Change up to 200 incidents",
        parameters=[IDEMPOTENCY_KEY],
        request=BulkSerializer,
        responses={200: BulkResultsSerializer},
    )
    def post(self, request: Request) -> HttpResponseBase:
        return super().post(request)

    def parts(self, request: Request) -> Parts:
        """Each incident is one."""
        by = person(request)
        if not (by.is_admin or by.is_responder):
            raise PermissionRefused("Only responders and administrators change many incidents at once.")
        serializer = BulkSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        ids = list(dict.fromkeys(fields.pop("ids")))
        how = {name: fields.pop(name, None) for name in ("status", "note", "grants_access")}
        return Parts(
            names=[str(number) for number in ids],
            work=lambda number: services.update_one(int(number), by=by, fields=fields, **how),
            busy=lambda number, error: services.refused(int(number), error),
            answer=lambda results: Response({"results": results}),
        )


class IncidentExportView(APIView):
    """The incidents of the same filters as CSV, streamed, newest first."""

    @extend_schema(
        operation_id="incidents_export",
        summary="Export incidents as CSV",
        parameters=FILTER_PARAMETERS,
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        incidents = filter_incidents(Incident.objects.visible_to(person(request)), request)
        response = StreamingHttpResponse(csv_rows(incidents), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="incidents-{timezone.now():%Y-%m-%d}.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response


def person(request: Request) -> User:
    """The caller, who is signed in: the default permission saw to that."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 (for the type checker)
    return user


def incident_url(request: Request, number: int) -> str:
    """The address of an incident."""
    return f"{_base_url(request)}{number}/"


def shown(rows: Any, request: Request) -> list[dict[str, Any]]:
    """Rows as the caller sees them."""
    return represent_all(rows, viewer=person(request), base_url=_base_url(request))


def _base_url(request: Request) -> str:
    return str(reverse("incident-list", request=request))


def one(
    incident: Incident,
    request: Request,
    *,
    status: int = http.HTTP_200_OK,
    services: list[str] | None = None,
    files: list[Attachment] | None = None,
) -> Response:
    """The incident in full, with its entity tag; `services` (slugs, in order) and `files` where they are known."""
    return _in_full(row_of(incident), request, status=status, services=services, files=files)


def _in_full(
    row: dict[str, Any],
    request: Request,
    *,
    status: int = http.HTTP_200_OK,
    services: list[str] | None = None,
    files: list[Attachment] | None = None,
) -> Response:
    slugs = services if services is not None else service_slugs([row["id"]])[row["id"]]
    body = represent(row, slugs, viewer=person(request), base_url=_base_url(request), now=timezone.now())
    attached = _attachments(row["id"]) if files is None else files
    body["attachments"] = AttachmentSerializer(attached, many=True, context={"request": request}).data
    return Response(body, status=status, headers={"ETag": f'"{body["version"]}"'})


def _attachments(incident_id: int) -> list[Attachment]:
    of_incident = Attachment.objects.filter(incident=Parameter("incident"))
    return rows.select(Attachment, "of an incident", lambda: of_incident, incident=incident_id)


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


def _as_of(incident: Incident, request: Request) -> dict[str, Any]:
    """The incident as it stood at a moment, folded from the events that had happened by then."""
    moment = moment_of("as_of", request.query_params["as_of"])
    events = IncidentEvent.objects.filter(incident=incident, occurred_at__lte=moment).order_by("seq")
    facts = list(events.values_list("data", "occurred_at"))
    state = replay_changes(data.get("changes", {}) for data, _ in facts)
    if state["created_at"] is None:
        raise NotFound(f"{incident.reference} did not exist then.")
    if state["deleted_at"] is not None:
        raise NotFound(f"{incident.reference} was deleted then.")
    return {
        "id": incident.pk,
        "uid": incident.uid,
        "reference": incident.reference,
        "as_of": moment,
        **{name: state[name] for name in ("title", "description", "status", "severity", "priority", "category")},
        **{name: state[name] for name in ("location", "services", "is_restricted", "reopen_count")},
        **{name: (state[name] or {}).get("id") for name in ("team", "assignee", "reporter")},
        "source": state["origin_system"],
        **{name: state[name] for name in ("occurred_at", "created_at", "acknowledged_at", "resolved_at", "closed_at")},
        # Of what changed it: not of an internal note, of which this caller may not know.
        "updated_at": max(at for data, at in facts if "changes" in data),
        "sla": {
            "ack_due_at": state["ack_due_at"],
            "resolve_due_at": state["resolve_due_at"],
            "ack_breached": state["ack_breached"],
            "resolve_breached": state["resolve_breached"],
            "paused": state["paused_at"] is not None,
        },
        "url": incident_url(request, incident.pk),
    }

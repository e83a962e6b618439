"""Routes of public incidents, maintenance and their updates."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status as http
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.listing import ListQuery, page_parameters
from core.api.paging import Key, page_of
from core.api.parameters import IDEMPOTENCY_KEY, IF_MATCH
from core.api.permissions import IsResponder
from core.api.problems import refuse, refuse_unknown_parameters
from core.api.schema import paged
from core.db.transactions import unit_of_work
from core.errors import NotFound
from incidents.views.incidents import expected_versions
from incidents.views.lookup import incident_for
from status_page.filters import MAINTENANCE, PUBLIC_INCIDENTS
from status_page.models import PublicIncident, PublicUpdate
from status_page.serializers.announcements import (
    AnnouncementDetailSerializer,
    AnnouncementSerializer,
    CorrectionSerializer,
    MaintenanceChangeSerializer,
    NewMaintenanceSerializer,
    NewPublicIncidentSerializer,
    NewUpdateSerializer,
    PublicIncidentChangeSerializer,
    PublicUpdateSerializer,
    serialize_announcement,
    serialize_in_full,
    serialize_update,
    visible_incidents,
)
from status_page.services import maintenance, publishing
from status_page.views.configuration import IDS
from status_page.vocabulary import Kind
from users.authentication import person

WRITE = [IDEMPOTENCY_KEY]
CHANGE = [IF_MATCH, IDEMPOTENCY_KEY]
ANNOUNCEMENTS = paged(AnnouncementSerializer)
UPDATES = paged(PublicUpdateSerializer)


def expected_version(request: Request, present: int) -> int | None:
    """Return the version that `If-Match` expects, if any; the present one where it is among several."""
    versions = expected_versions(request)
    if versions is None:
        return None
    return present if present in versions else versions[0]


class AnnouncementViewSet(IdempotentWrites, ViewSet):
    """What public incidents and maintenance have in common."""

    permission_classes = [IsResponder]
    lookup_value_regex = IDS
    kind: ClassVar[Kind]
    rows: ClassVar[ListQuery]

    def list(self, request: Request) -> Response:
        kind = self.kind
        pages = self.rows.page(request, lambda: PublicIncident.objects.filter(kind=kind), asker=kind)
        visible = visible_incidents(pages.rows, person(request))
        return pages.get_paginated_response([serialize_announcement(row, visible) for row in pages.rows])

    def retrieve(self, request: Request, pk: str) -> Response:
        refuse_unknown_parameters(request, set())
        return self.respond(self.announcement(pk), request)

    def destroy(self, request: Request, pk: str) -> Response:
        row = self.announcement(pk)
        publishing.withdraw(row, by=person(request), expected_version=expected_version(request, row.version))
        return Response(status=http.HTTP_204_NO_CONTENT)

    def announcement(self, pk: str) -> PublicIncident:
        return announcement(pk, self.kind)

    def respond(self, row: PublicIncident, request: Request, status: int = http.HTTP_200_OK) -> Response:
        body = serialize_in_full(row, person(request))
        return Response(body, status=status, headers={"ETag": f'"{row.version}"'})


def announcement(pk: str, kind: Kind) -> PublicIncident:
    """Return the announcement of this kind. Raises NotFound."""
    row = PublicIncident.objects.filter(pk=int(pk), kind=kind).first()
    if row is None:
        raise NotFound(f"There is no {kind} {pk} on the status page.")
    return row


def new_values(form: Any, request: Request) -> dict[str, Any]:
    """Return what a valid form publishes, with the incident that it names."""
    form.is_valid(raise_exception=True)
    values = {"components": [], **form.validated_data}
    named = values.pop("incident", None)
    return {**values, "incident": incident_for(request, named) if named else None}


@extend_schema_view(
    list=extend_schema(
        operation_id="status_incidents_list",
        summary=_("List public incidents"),
        parameters=PUBLIC_INCIDENTS.parameters,
        responses=ANNOUNCEMENTS,
    ),
    retrieve=extend_schema(
        operation_id="status_incidents_retrieve",
        summary=_("Get a public incident"),
        responses=AnnouncementDetailSerializer,
    ),
    destroy=extend_schema(
        operation_id="status_incidents_destroy",
        summary=_("Withdraw a public incident"),
        parameters=CHANGE,
        responses={204: None},
    ),
)
class PublicIncidentViewSet(AnnouncementViewSet):
    """Incidents as the public is told of them."""

    kind = Kind.INCIDENT
    rows = PUBLIC_INCIDENTS

    @extend_schema(
        operation_id="status_incidents_create",
        summary=_("Publish an incident"),
        parameters=WRITE,
        request=NewPublicIncidentSerializer,
        responses={201: AnnouncementDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        values = new_values(NewPublicIncidentSerializer(data=request.data), request)
        return self.respond(publishing.publish(by=person(request), **values), request, http.HTTP_201_CREATED)

    @extend_schema(
        operation_id="status_incidents_partial_update",
        summary=_("Correct a public incident"),
        description=_(
            "Other components or another impact count from the start, and nobody is told; "
            "post an update for what changed since."
        ),
        parameters=CHANGE,
        request=PublicIncidentChangeSerializer,
        responses=AnnouncementDetailSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.announcement(pk)
        form = PublicIncidentChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        version = expected_version(request, row.version)
        changed = publishing.edit(row, by=person(request), changes=form.validated_data, expected_version=version)
        return self.respond(changed, request)


@extend_schema_view(
    list=extend_schema(
        operation_id="status_maintenance_list",
        summary=_("List maintenance"),
        parameters=MAINTENANCE.parameters,
        responses=ANNOUNCEMENTS,
    ),
    retrieve=extend_schema(
        operation_id="status_maintenance_retrieve",
        summary=_("Get maintenance"),
        responses=AnnouncementDetailSerializer,
    ),
    destroy=extend_schema(
        operation_id="status_maintenance_destroy",
        summary=_("Withdraw maintenance"),
        parameters=CHANGE,
        responses={204: None},
    ),
)
class MaintenanceViewSet(AnnouncementViewSet):
    """Planned maintenance; it begins and completes by itself."""

    kind = Kind.MAINTENANCE
    rows = MAINTENANCE

    @extend_schema(
        operation_id="status_maintenance_create",
        summary=_("Plan maintenance"),
        parameters=WRITE,
        request=NewMaintenanceSerializer,
        responses={201: AnnouncementDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        values = new_values(NewMaintenanceSerializer(data=request.data), request)
        return self.respond(maintenance.plan(by=person(request), **values), request, http.HTTP_201_CREATED)

    @extend_schema(
        operation_id="status_maintenance_partial_update",
        summary=_("Move or correct maintenance"),
        description=_("New times are an update, which subscribers are told of; corrections are not."),
        parameters=CHANGE,
        request=MaintenanceChangeSerializer,
        responses=AnnouncementDetailSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.announcement(pk)
        form = MaintenanceChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        version = expected_version(request, row.version)
        return self.respond(change_maintenance(row, dict(form.validated_data), version, request), request)


@unit_of_work
def change_maintenance(
    row: PublicIncident, values: dict[str, Any], version: int | None, request: Request
) -> PublicIncident:
    """Correct maintenance and give it new times, as one change."""
    said = {name: values.pop(name) for name in ("starts_at", "ends_at", "message", "tell") if name in values}
    if said and not said.keys() & {"starts_at", "ends_at"}:
        refuse(next(iter(said)), "This goes with new times; to say more, post an update.")
    if values or not said:
        row = publishing.edit(row, by=person(request), changes=values, expected_version=version)
        version = None
    return maintenance.move(row, by=person(request), expected_version=version, **said) if said else row


class UpdatesViewSet(IdempotentWrites, ViewSet):
    """What public incidents' and maintenance's updates have in common."""

    permission_classes = [IsResponder]
    lookup_value_regex = IDS
    kind: ClassVar[Kind]
    orderings: ClassVar[dict[str, list[Key]]] = {"id": [Key("id")]}
    default_ordering = "id"

    def list(self, request: Request, announcement_id: int) -> Response:
        updates = self._announcement(announcement_id).updates.all()
        return page_of(updates, request, self, lambda rows: [serialize_update(row) for row in rows])

    def create(self, request: Request, announcement_id: int) -> Response:
        row = self._announcement(announcement_id)
        form = NewUpdateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        version = expected_version(request, row.version)
        update = publishing.add_update(row, by=person(request), expected_version=version, **form.validated_data)
        return Response(serialize_update(update), status=http.HTTP_201_CREATED)

    def retrieve(self, request: Request, announcement_id: int, pk: str) -> Response:
        refuse_unknown_parameters(request, set())
        return self._respond(self._update(announcement_id, pk))

    def partial_update(self, request: Request, announcement_id: int, pk: str) -> Response:
        update = self._update(announcement_id, pk)
        form = CorrectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = {"message": update.message, **form.validated_data}
        version = expected_version(request, update.version)
        return self._respond(publishing.correct_update(update, by=person(request), expected_version=version, **values))

    def _announcement(self, number: int) -> PublicIncident:
        return announcement(str(number), self.kind)

    def _update(self, announcement_id: int, pk: str) -> PublicUpdate:
        update = self._announcement(announcement_id).updates.filter(pk=int(pk)).first()
        if update is None:
            raise NotFound(f"There is no update {pk} of this announcement.")
        return update

    def _respond(self, update: PublicUpdate) -> Response:
        return Response(serialize_update(update), headers={"ETag": f'"{update.version}"'})


def describe_updates(prefix: str, **summaries: Any) -> Any:
    """Describe the routes of updates; each summary is a whole text."""
    shared: dict[str, dict[str, Any]] = {
        "list": {"parameters": page_parameters("id"), "responses": UPDATES},
        "create": {
            "parameters": CHANGE,
            "request": NewUpdateSerializer,
            "responses": {201: PublicUpdateSerializer},
        },
        "retrieve": {"responses": PublicUpdateSerializer},
        "partial_update": {
            "parameters": CHANGE,
            "request": CorrectionSerializer,
            "responses": PublicUpdateSerializer,
        },
    }
    return extend_schema_view(
        **{
            name: extend_schema(operation_id=f"{prefix}_{name}", summary=summaries[name], **more)
            for name, more in shared.items()
        }
    )


@describe_updates(
    "status_incident_updates",
    list=_("List a public incident's updates"),
    create=_("Post an update of a public incident"),
    retrieve=_("Get an update of a public incident"),
    partial_update=_("Correct an update of a public incident"),
)
class IncidentUpdatesViewSet(UpdatesViewSet):
    """Messages to the public about an incident."""

    kind = Kind.INCIDENT


@describe_updates(
    "status_maintenance_updates",
    list=_("List maintenance's updates"),
    create=_("Post an update of maintenance"),
    retrieve=_("Get an update of maintenance"),
    partial_update=_("Correct an update of maintenance"),
)
class MaintenanceUpdatesViewSet(UpdatesViewSet):
    """Messages to the public about maintenance."""

    kind = Kind.MAINTENANCE

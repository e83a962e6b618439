"""What happened to an incident, who follows it, and how it relates to others."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.listing import PreparedPages, page_parameters
from core.api.paging import Key, page_of
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.problems import refuse, refuse_unknown_parameters
from core.api.schema import paged
from core.db.prepared import Parameter
from core.errors import NotFound
from incidents import services
from incidents.models import Incident, IncidentEvent, IncidentLink, Subscription
from incidents.naming import hidden_references, strip_hidden
from incidents.serializers.incidents import (
    CommentSerializer,
    EventSerializer,
    HistoryEntrySerializer,
    LinkedIncidentSerializer,
    LinkSerializer,
    RedactionSerializer,
    SubscribedSerializer,
    SubscriberSerializer,
)
from incidents.views.lookup import INCIDENT_ID as ID
from incidents.views.lookup import incident_for, one_of, row_for
from users.authentication import person
from users.models import User

EVENT_COLUMNS = (
    "id",
    "seq",
    "kind",
    "actor_id",
    "actor_name",
    "machine_kind",
    "machine_name",
    "origin",
    "visibility",
    "occurred_at",
    "received_at",
    "body",
    "data",
)
EVENT_ID = OpenApiParameter("event_id", OpenApiTypes.INT, OpenApiParameter.PATH)
SHOWN_COLUMNS = [column for column in EVENT_COLUMNS if column.partition("_")[0] not in ("actor", "machine", "body")]


def serialize_event(row: dict[str, Any]) -> dict[str, Any]:
    """Return an event's row as the API shows it."""
    kind, name = row["machine_kind"], row["machine_name"]
    machine = {"kind": kind, "name": name} if kind or name else None
    actor = {"id": row["actor_id"], "name": row["actor_name"] or name, "machine": machine}
    return {
        **{shown: row[shown] for shown in SHOWN_COLUMNS},
        "actor": actor,
        "message": row["body"] or row["data"].get("text", ""),
    }


class TimelineViewSet(IdempotentWrites, ViewSet):
    """The events of an incident, oldest first, and adding an update."""

    orderings = {"seq": [Key("seq")]}
    default_ordering = "seq"

    @extend_schema(
        operation_id="timeline_list",
        summary=_("List an incident's events"),
        parameters=[ID, *page_parameters()],
        responses=paged(EventSerializer),
    )
    def list(self, request: Request, id: str) -> Response:
        return _page_of_events(request, id, self, lambda rows: list(map(serialize_event, rows)))

    @extend_schema(
        operation_id="timeline_create",
        summary=_("Add an update"),
        parameters=[ID, IDEMPOTENCY_KEY],
        request=CommentSerializer,
        responses={201: EventSerializer},
    )
    def create(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        serializer = CommentSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        event = services.comment(incident, by=person(request), **serializer.validated_data)
        return Response(_stored(event), status=http.HTTP_201_CREATED)


class EventViewSet(IdempotentWrites, ViewSet):
    """Events by their own ids."""

    lookup_url_kwarg = "event_id"
    lookup_value_converter = "int"
    lookup_value_regex = r"\d+"

    @extend_schema(
        operation_id="timeline_redact",
        summary=_("Redact an event"),
        description=_("Removes a leaked text; that something was there, and who removed it, stays on record."),
        parameters=[EVENT_ID],
        request=RedactionSerializer,
        responses={200: EventSerializer},
    )
    @action(detail=True, methods=["post"])
    def redact(self, request: Request, event_id: str) -> Response:
        serializer = RedactionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        by = person(request)
        visible = IncidentEvent.objects.readable_by(by).filter(incident__in=Incident.objects.visible_to(by))
        event = visible.filter(pk=event_id).select_related("incident").first()
        if event is None:
            raise NotFound("This event does not exist, or you do not have access to it.")
        return Response(_stored(services.redact(event, by=by, **serializer.validated_data)))


class HistoryViewSet(ViewSet):
    """Every field that changed: who, when, from, to; oldest first."""

    orderings = {"seq": [Key("seq")]}
    default_ordering = "seq"

    @extend_schema(
        operation_id="history_list",
        summary=_("List an incident's field changes"),
        parameters=[ID, *page_parameters()],
        responses=paged(HistoryEntrySerializer),
    )
    def list(self, request: Request, id: str) -> Response:
        return _page_of_events(request, id, self, lambda rows: [entry for row in rows for entry in _field_changes(row)])


class SubscriberViewSet(IdempotentWrites, ViewSet):
    """Who follows an incident. Without `user`, the caller subscribes or unsubscribes themselves."""

    orderings = {"id": [Key("id")]}
    default_ordering = "id"

    @extend_schema(
        operation_id="subscribers_list",
        summary=_("List an incident's followers"),
        parameters=[ID, *page_parameters()],
        responses=paged(SubscribedSerializer),
    )
    def list(self, request: Request, id: str) -> Response:
        followers = Subscription.objects.filter(incident=incident_for(request, id)).select_related("user")
        return page_of(followers, request, self, lambda rows: list(map(_follower, rows)))

    @extend_schema(
        operation_id="subscribers_create",
        summary=_("Follow an incident, or add a follower"),
        parameters=[ID, IDEMPOTENCY_KEY],
        request=SubscriberSerializer,
        responses={200: SubscribedSerializer, 201: SubscribedSerializer},
    )
    def create(self, request: Request, id: str) -> Response:
        incident, user = incident_for(request, id), _named_user(request)
        is_new = services.subscribe(incident, user, by=person(request))
        row = Subscription.objects.select_related("user").get(incident=incident, user=user)
        return Response(_follower(row), status=http.HTTP_201_CREATED if is_new else http.HTTP_200_OK)

    @extend_schema(
        operation_id="subscribers_destroy",
        summary=_("Unfollow an incident, or remove a follower"),
        parameters=[ID, OpenApiParameter("user", OpenApiTypes.INT, description=_("User id; the caller if left out."))],
        responses={204: None},
    )
    def remove(self, request: Request, id: str) -> Response:
        services.unsubscribe(incident_for(request, id), _named_user(request), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


class LinkViewSet(IdempotentWrites, ViewSet):
    """An incident's links to other incidents."""

    orderings = {"id": [Key("id")]}
    default_ordering = "id"

    @extend_schema(
        operation_id="links_list",
        summary=_("List an incident's links"),
        parameters=[ID, *page_parameters()],
        responses=paged(LinkedIncidentSerializer),
    )
    def list(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        visible = Incident.objects.visible_to(person(request))
        outgoing, incoming = Q(incident=incident, target__in=visible), Q(target=incident, incident__in=visible)
        links = IncidentLink.objects.filter(outgoing | incoming).select_related("incident", "target")
        return page_of(links, request, self, lambda rows: [_linked(link, incident) for link in rows])

    @extend_schema(
        operation_id="links_create",
        summary=_("Link an incident to another"),
        parameters=[ID, IDEMPOTENCY_KEY],
        request=LinkSerializer,
        responses={201: LinkedIncidentSerializer},
    )
    def create(self, request: Request, id: str) -> Response:
        incident = incident_for(request, id)
        serializer = LinkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        target = _target(request, asked["target"])
        grants_access = asked["grants_access"]
        link = services.link(incident, target, asked["kind"], by=person(request), grants_access=grants_access)
        return Response(_linked(link, incident), status=http.HTTP_201_CREATED)

    @extend_schema(
        operation_id="links_destroy",
        summary=_("Remove a link"),
        parameters=[ID, OpenApiParameter("link", OpenApiTypes.INT, required=True, description=_("The link's id."))],
        responses={204: None},
    )
    def remove(self, request: Request, id: str) -> Response:
        services.unlink(incident_for(request, id), _number(request, "link"), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


def _page_of_events(request: Request, id: str, view: APIView, show: Callable[[list[Any]], list[Any]]) -> Response:
    refuse_unknown_parameters(request, PreparedPages.parameters)
    caller = person(request)

    def readable() -> Any:
        events = IncidentEvent.objects.filter(incident=Parameter("incident"))
        return events.readable_by(caller).values(*EVENT_COLUMNS)

    pages = PreparedPages("events", caller.role, incident=row_for(request, id)["id"])
    rows = pages.page_of(readable, IncidentEvent, request, view)
    return pages.get_paginated_response(show(_readable(rows, caller)))


def _readable(rows: list[dict[str, Any]], viewer: User) -> list[dict[str, Any]]:
    facts = [(row["kind"], row["data"], row["body"]) for row in rows]
    hidden = hidden_references(viewer, facts)
    shown = [(row, strip_hidden(event, hidden)) for row, event in zip(rows, facts, strict=True)]
    return [{**row, "data": event[1], "body": event[2]} for row, event in shown if event is not None]


def _stored(event: IncidentEvent) -> dict[str, Any]:
    return serialize_event(IncidentEvent.objects.values(*EVENT_COLUMNS).get(pk=event.pk))


def _field_changes(row: dict[str, Any]) -> list[dict[str, Any]]:
    event = serialize_event(row)
    shared = {name: event[name] for name in ("seq", "occurred_at", "received_at", "actor", "origin")}
    changes = event["data"].get("changes", {})
    return [{**shared, "field": field, "before": pair[0], "after": pair[1]} for field, pair in changes.items()]


def _follower(row: Subscription) -> dict[str, Any]:
    return {"user": row.user_id, "name": row.user.name, "created_at": row.created_at}


def _linked(link: IncidentLink, incident: Incident) -> dict[str, Any]:
    is_outgoing = link.incident_id == incident.pk
    other = link.target if is_outgoing else link.incident
    return {
        "id": link.pk,
        "kind": link.kind,
        "direction": "outgoing" if is_outgoing else "incoming",
        "incident": {"id": other.pk, "reference": other.reference, "title": other.title, "status": other.status},
        "created_at": link.created_at,
    }


def _target(request: Request, id: str) -> Incident:
    try:
        return one_of(Incident.objects.visible_to(person(request)), id)
    except NotFound as error:
        raise NotFound(error.message, field="target") from error


def _named_user(request: Request) -> User:
    """The person of `user` in the body or the query; the caller without one."""
    refuse_unknown_parameters(request, {"user"})
    serializer = SubscriberSerializer(data=request.data or request.query_params.dict())
    serializer.is_valid(raise_exception=True)
    user: User = serializer.validated_data.get("user") or person(request)
    return user


def _number(request: Request, name: str) -> int:
    refuse_unknown_parameters(request, {name})
    given = str(request.query_params.get(name, request.data.get(name) if isinstance(request.data, dict) else None))
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        refuse(name, f"Name the {name} by its id.", "required")
    return int(given)

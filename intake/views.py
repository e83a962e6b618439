"""Routes of intake events."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsAdmin
from core.api.schema import paged
from core.errors import Conflict, NotFound
from intake.filters import INTAKE_EVENTS
from intake.models import IntakeEvent
from intake.serializers import (
    MOST_AT_ONCE,
    IntakeEventDetailSerializer,
    IntakeEventSerializer,
    ReplayedSerializer,
    ReplaySerializer,
)
from intake.services.queue import replay, replayable

EVENT_ID = OpenApiParameter("event_id", OpenApiTypes.INT, OpenApiParameter.PATH)


class IntakeEventViewSet(IdempotentWrites, ViewSet):
    """Requests from senders, newest first."""

    permission_classes = [IsAdmin]
    lookup_url_kwarg = "event_id"
    lookup_value_regex = "[0-9]+"

    @extend_schema(
        operation_id="intake_events_list",
        summary="List intake events",
        parameters=INTAKE_EVENTS.parameters,
        responses=paged(IntakeEventSerializer),
    )
    def list(self, request: Request) -> Response:
        pages = INTAKE_EVENTS.page(request, IntakeEvent.objects.all, asker=None)
        return pages.get_paginated_response(IntakeEventSerializer(pages.rows, many=True).data)

    @extend_schema(
        operation_id="intake_events_retrieve",
        summary="Get an intake event with its body",
        parameters=[EVENT_ID],
        responses=IntakeEventDetailSerializer,
    )
    def retrieve(self, request: Request, event_id: str) -> Response:
        return Response(IntakeEventDetailSerializer(_event(event_id)).data)

    @extend_schema(
        operation_id="intake_events_replay",
        summary="Replay an intake event",
        parameters=[EVENT_ID, IDEMPOTENCY_KEY],
        request=None,
        responses={200: ReplayedSerializer},
    )
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, event_id: str) -> Response:
        event = _event(event_id)
        if not replay([event.pk]):
            message = _("It is %(state)s; only events that failed, were dropped or held no alert can be replayed.")
            raise Conflict(message % {"state": event.get_state_display().lower()}, code="not_replayable")
        return Response({"replayed": 1, "has_more": False})

    @extend_schema(
        operation_id="intake_events_replay_many",
        summary="Replay failed and dropped events, and those without an alert",
        parameters=[IDEMPOTENCY_KEY],
        request=ReplaySerializer,
        responses={200: ReplayedSerializer},
    )
    @action(detail=False, methods=["post"], url_path="replay")
    def replay_many(self, request: Request) -> Response:
        """Replay events after a fix, in batches that do not hold up new events."""
        form = ReplaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ids = _asked_for(form.validated_data)
        return Response({"replayed": replay(ids[:MOST_AT_ONCE]), "has_more": len(ids) > MOST_AT_ONCE})


def _asked_for(asked: dict[str, Any]) -> list[int]:
    if "ids" in asked:
        ids: list[int] = asked["ids"]
        return ids
    found = replayable().filter(state=asked["state"])
    if "source" in asked:
        found = found.filter(source=asked["source"])
    return list(found.order_by("id").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def _event(event_id: str) -> IntakeEvent:
    event = IntakeEvent.objects.filter(pk=int(event_id)).first() if len(event_id) < 19 else None
    if event is None:
        raise NotFound(_("Intake event %(id)s does not exist; events are kept for a limited time.") % {"id": event_id})
    return event

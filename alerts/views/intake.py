"""The routes of what senders handed in: looking at it, and working it off again."""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Length
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.filters import INTAKE_EVENTS
from alerts.serializers.intake import (
    MOST_AT_ONCE,
    IntakeEventDetailSerializer,
    IntakeEventSerializer,
    ReplayedSerializer,
    ReplaySerializer,
)
from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsAdmin
from core.api.schema import paged
from core.errors import Conflict, NotFound
from intake.models import IntakeEvent
from intake.services.queue import replay, replayable


class IntakeEventListView(APIView):
    """What came in, newest first."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="intake_events_list",
        summary="List what senders handed in",
        parameters=INTAKE_EVENTS.parameters,
        responses=paged(IntakeEventSerializer),
    )
    def get(self, request: Request) -> Response:
        pages = INTAKE_EVENTS.page(request, lambda: _sized().defer("body"), asker=None)
        return pages.get_paginated_response(IntakeEventSerializer(pages.rows, many=True).data)


class IntakeEventView(APIView):
    """One of them, with its body."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="intake_events_retrieve",
        summary="Show what a sender handed in",
        responses=IntakeEventDetailSerializer,
    )
    def get(self, request: Request, event_id: int) -> Response:
        return Response(IntakeEventDetailSerializer(_event(event_id)).data)


class IntakeEventReplayView(IdempotentWrites, APIView):
    """Working one off again."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="intake_events_replay",
        summary="Work off again what a sender handed in",
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={200: ReplayedSerializer},
    )
    def post(self, request: Request, event_id: int) -> Response:
        event = _event(event_id)
        if not replay([event.pk]):
            raise Conflict(
                f"It is {event.get_state_display().lower()}; only what failed, was dropped or held no alert can be "
                "replayed.",
                code="not_replayable",
            )
        return Response({"replayed": 1, "has_more": False})


class IntakeReplayView(IdempotentWrites, APIView):
    """Working many off again, after a fix; at most so many at once that nothing else waits for it."""

    permission_classes = [IsAdmin]

    @extend_schema(
        operation_id="intake_events_replay_many",
        summary="Work off again what failed, was dropped or held no alert",
        parameters=[IDEMPOTENCY_KEY],
        request=ReplaySerializer,
        responses={200: ReplayedSerializer},
    )
    def post(self, request: Request) -> Response:
        form = ReplaySerializer(data=request.data)
        form.is_valid(raise_exception=True)
        ids = _asked_for(form.validated_data)
        return Response({"replayed": replay(ids[:MOST_AT_ONCE]), "has_more": len(ids) > MOST_AT_ONCE})


def _asked_for(asked: dict[str, Any]) -> list[int]:
    """The ids, the oldest first and one more than are replayed at once."""
    if "ids" in asked:
        ids: list[int] = asked["ids"]
        return ids
    found = replayable().filter(state=asked["state"])
    if "source" in asked:
        found = found.filter(source=asked["source"])
    return list(found.order_by("id").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])


def _sized() -> QuerySet[IntakeEvent]:
    return IntakeEvent.objects.annotate(size=Length("body"))


def _event(pk: int) -> IntakeEvent:
    event = _sized().filter(pk=pk).first()
    if event is None:
        raise NotFound(f"There is no intake event {pk}; what was handed in is kept for a limited time.")
    return event

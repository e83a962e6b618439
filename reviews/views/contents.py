"""Routes of what a review is made of: moments, contributing factors, participants, action items."""

from typing import Any, ClassVar

from django.db.models import Model
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.listing import page_parameters
from core.api.paging import Key, page_of
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsResponder
from core.api.schema import paged
from core.errors import DomainError, NotFound
from incidents.models import IncidentEvent
from reviews.models import ActionItem, Factor, Moment, Participant, Review
from reviews.serializers.items import ActionItemPageSerializer, ActionItemSerializer, NewActionItemSerializer
from reviews.serializers.reviews import (
    EventsSerializer,
    FactorChangeSerializer,
    FactorSerializer,
    MomentChangeSerializer,
    MomentSerializer,
    NewParticipantSerializer,
    ParticipantChangeSerializer,
    ParticipantSerializer,
)
from reviews.services import drafting, editing, items
from reviews.views.reviews import NUMBERS, ONE, REVIEW, review_for
from users.authentication import person


def described(noun: str, nouns: str, shown: Any, new: Any, change: Any, texts: dict[str, Any]) -> Any:
    """Describe the routes of a part for the OpenAPI document; `texts` are their summaries."""
    return extend_schema_view(
        list=extend_schema(
            operation_id=f"review_{nouns}_list",
            summary=texts["list"],
            parameters=[REVIEW, *page_parameters()],
            responses=paged(shown),
        ),
        create=extend_schema(
            operation_id=f"review_{nouns}_create",
            summary=texts["create"],
            parameters=[REVIEW, IDEMPOTENCY_KEY],
            request=new,
            responses={201: shown},
        ),
        partial_update=extend_schema(
            operation_id=f"review_{nouns}_partial_update",
            summary=texts["partial_update"],
            parameters=[REVIEW, ONE, IDEMPOTENCY_KEY],
            request=change,
            responses=shown,
        ),
        destroy=extend_schema(
            operation_id=f"review_{nouns}_destroy",
            summary=texts["destroy"],
            parameters=[REVIEW, ONE],
            responses={204: None},
        ),
    )


class ContentViewSet(IdempotentWrites, ViewSet):
    """What the parts of a review have in common."""

    permission_classes = [IsResponder]
    lookup_value_regex = NUMBERS
    lookup_url_kwarg = "id"
    orderings: ClassVar[dict[str, list[Key]]] = {"id": [Key("id")]}
    default_ordering = "id"
    model: ClassVar[type[Model]]
    shown: ClassVar[Any]
    related: ClassVar[tuple[str, ...]] = ()

    def rows(self, review: Review) -> Any:
        return self.model._default_manager.filter(review=review).select_related(*self.related)

    def one(self, request: Request, review_id: int, id: str) -> Any:
        """Return the part of a review that the caller sees. Raises NotFound."""
        found = self.rows(review_for(request, review_id)).filter(pk=int(id)).first()
        if found is None:
            raise NotFound(f"The review has no {self.model._meta.verbose_name} {id}.")
        return found

    def list(self, request: Request, review_id: int) -> Response:
        review = review_for(request, review_id)
        return page_of(self.rows(review), request, self, lambda rows: list(self.shown(rows, many=True).data))

    def respond(self, row: Any, status: int = http.HTTP_200_OK) -> Response:
        return Response(self.shown(self.rows(row.review).get(pk=row.pk)).data, status=status)


def _valid(form: Any) -> dict[str, Any]:
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def _with_event(values: dict[str, Any], review: Review) -> dict[str, Any]:
    """Return a moment's values with the event that they name."""
    number = values.get("event")
    if number is None:
        return values
    event = IncidentEvent.objects.filter(pk=number, incident=review.incident_id).first()
    if event is None:
        raise DomainError("The event is not on the incident's timeline.", field="event")
    return {**values, "event": event}


@described(
    "moment",
    "moments",
    MomentSerializer,
    MomentChangeSerializer,
    MomentChangeSerializer,
    {
        "list": _("List a review's moments"),
        "create": _("Add a moment to a review"),
        "partial_update": _("Update a moment of a review"),
        "destroy": _("Remove a moment from a review"),
    },
)
class MomentViewSet(ContentViewSet):
    """The moments of a review, in the order of time."""

    model, shown = Moment, MomentSerializer
    orderings = {"at": [Key("at")]}
    default_ordering = "at"

    def create(self, request: Request, review_id: int) -> Response:
        review = review_for(request, review_id)
        values = _with_event(_valid(MomentChangeSerializer(data=request.data)), review)
        return self.respond(editing.add_moment(review, by=person(request), **values), http.HTTP_201_CREATED)

    def partial_update(self, request: Request, review_id: int, id: str) -> Response:
        moment = self.one(request, review_id, id)
        changes = _valid(MomentChangeSerializer(data=request.data, partial=True))
        changes = _with_event(changes, review_for(request, review_id))
        return self.respond(editing.edit_moment(moment, by=person(request), changes=changes))

    def destroy(self, request: Request, review_id: int, id: str) -> Response:
        editing.remove_moment(self.one(request, review_id, id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="review_moments_from_timeline",
        summary=_("Add moments of events of the timeline to a review"),
        description=_("Events that are told of already are left out."),
        parameters=[REVIEW, IDEMPOTENCY_KEY],
        request=EventsSerializer,
        responses={201: MomentSerializer(many=True)},
    )
    @action(detail=False, methods=["post"], url_path="from-timeline")
    def from_timeline(self, request: Request, review_id: int) -> Response:
        review = review_for(request, review_id)
        events = _valid(EventsSerializer(data=request.data))["events"]
        added = drafting.add_moments(review, events, by=person(request))
        return Response(MomentSerializer(added, many=True).data, status=http.HTTP_201_CREATED)


@described(
    "factor",
    "factors",
    FactorSerializer,
    FactorChangeSerializer,
    FactorChangeSerializer,
    {
        "list": _("List a review's contributing factors"),
        "create": _("Add a contributing factor to a review"),
        "partial_update": _("Update a contributing factor of a review"),
        "destroy": _("Remove a contributing factor from a review"),
    },
)
class FactorViewSet(ContentViewSet):
    """The contributing factors of a review."""

    model, shown = Factor, FactorSerializer
    orderings = {"position": [Key("position")]}
    default_ordering = "position"

    def create(self, request: Request, review_id: int) -> Response:
        review = review_for(request, review_id)
        values = _valid(FactorChangeSerializer(data=request.data))
        return self.respond(editing.add_factor(review, by=person(request), **values), http.HTTP_201_CREATED)

    def partial_update(self, request: Request, review_id: int, id: str) -> Response:
        factor = self.one(request, review_id, id)
        changes = _valid(FactorChangeSerializer(data=request.data, partial=True))
        return self.respond(editing.edit_factor(factor, by=person(request), changes=changes))

    def destroy(self, request: Request, review_id: int, id: str) -> Response:
        editing.remove_factor(self.one(request, review_id, id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


@described(
    "participant",
    "participants",
    ParticipantSerializer,
    NewParticipantSerializer,
    ParticipantChangeSerializer,
    {
        "list": _("List a review's participants"),
        "create": _("Add a participant to a review"),
        "partial_update": _("Update a participant of a review"),
        "destroy": _("Remove a participant from a review"),
    },
)
class ParticipantViewSet(ContentViewSet):
    """Who was involved, was interviewed, or reviews."""

    model, shown, related = Participant, ParticipantSerializer, ("user",)

    def create(self, request: Request, review_id: int) -> Response:
        review = review_for(request, review_id)
        values = _valid(NewParticipantSerializer(data=request.data))
        return self.respond(editing.add_participant(review, by=person(request), **values), http.HTTP_201_CREATED)

    def partial_update(self, request: Request, review_id: int, id: str) -> Response:
        participant = self.one(request, review_id, id)
        changes = _valid(ParticipantChangeSerializer(data=request.data, partial=True))
        return self.respond(editing.edit_participant(participant, by=person(request), changes=changes))

    def destroy(self, request: Request, review_id: int, id: str) -> Response:
        editing.remove_participant(self.one(request, review_id, id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(
        operation_id="review_action_items_list",
        summary=_("List a review's action items"),
        parameters=[REVIEW, *page_parameters()],
        responses=ActionItemPageSerializer,
    ),
    create=extend_schema(
        operation_id="review_action_items_create",
        summary=_("Add an action item to a review"),
        parameters=[REVIEW, IDEMPOTENCY_KEY],
        request=NewActionItemSerializer,
        responses={201: ActionItemSerializer},
    ),
)
class ReviewItemViewSet(ContentViewSet):
    """The action items of a review; each is changed below `action-items/`."""

    model, shown, related = ActionItem, ActionItemSerializer, ("owner", "review__incident")

    def create(self, request: Request, review_id: int) -> Response:
        review = review_for(request, review_id)
        values = _valid(NewActionItemSerializer(data=request.data))
        return self.respond(items.add_item(review, by=person(request), **values), http.HTTP_201_CREATED)

"""Routes of reviews."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.idempotency import IdempotentWrites
from core.api.parameters import IDEMPOTENCY_KEY, IF_MATCH
from core.api.permissions import IsResponder
from core.api.problems import refuse_unknown_parameters
from core.api.schema import paged
from core.db.transactions import unit_of_work
from core.errors import StaleVersion
from incidents.models import Incident
from incidents.views.incidents import expected_versions
from incidents.views.lookup import incident_for
from reviews.filters import REVIEWS
from reviews.models import Review
from reviews.permissions import absent
from reviews.serializers.reviews import (
    NewReviewSerializer,
    ReviewChangeSerializer,
    ReviewDetailSerializer,
    ReviewSerializer,
)
from reviews.services import drafting, editing, publishing
from reviews.services.reviewing import ChangedMeanwhile
from users.authentication import person
from users.models import User

NUMBERS = "[0-9]{1,18}"
REVIEW = OpenApiParameter("review_id", OpenApiTypes.INT, OpenApiParameter.PATH, description=_("The review's id."))
ONE = OpenApiParameter("id", OpenApiTypes.INT, OpenApiParameter.PATH, description=_("Id."))


def reviews_in_full() -> QuerySet[Review]:
    """Select reviews with all that is shown of one."""
    rows = Review.objects.select_related("incident", "owner")
    return rows.prefetch_related("moments", "factors", "participants__user", "action_items__owner")


def review_for(request: Request, pk: str | int) -> Review:
    """Return a review that the caller sees. Raises NotFound."""
    review = Review.objects.visible_to(person(request)).select_related("incident").filter(pk=int(pk)).first()
    if review is None:
        raise absent()
    return review


def review_response(number: int, viewer: User, status: int = http.HTTP_200_OK) -> Response:
    """Return a review in full, with its entity tag."""
    review = reviews_in_full().get(pk=number)
    for item in review.action_items.all():
        item.review = review  # its incident is at hand
    body = ReviewDetailSerializer(review, context={"viewer": viewer}).data
    return Response(body, status=status, headers={"ETag": f'"{review.version}"'})


def version_of(request: Request, review: Review) -> int | None:
    """Return the version that `If-Match` expects. Raises StaleVersion."""
    versions = expected_versions(request)
    if versions is None:
        return None
    if review.version not in versions:
        raise StaleVersion(
            "Somebody else changed this review; reload it and repeat your change.", version=review.version
        )
    return review.version


class ReviewViewSet(IdempotentWrites, ViewSet):
    """Post-incident reviews of incidents that the caller sees; responders and administrators only."""

    permission_classes = [IsResponder]
    lookup_value_regex = NUMBERS

    @extend_schema(
        operation_id="reviews_list",
        summary=_("List reviews"),
        parameters=REVIEWS.parameters,
        responses=paged(ReviewSerializer),
    )
    def list(self, request: Request) -> Response:
        viewer = person(request)
        asker = Incident.objects.visibility_key(viewer)
        pages = REVIEWS.page(request, lambda: Review.objects.visible_to(viewer), asker=asker)
        return pages.get_paginated_response(ReviewSerializer(pages.rows, many=True).data)

    @extend_schema(
        operation_id="reviews_create",
        summary=_("Start a review, drafted from the incident's timeline"),
        parameters=[IDEMPOTENCY_KEY],
        request=NewReviewSerializer,
        responses={201: ReviewDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        form = NewReviewSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        incident = incident_for(request, form.validated_data["incident"])
        by = person(request)
        review = drafting.start_review(incident, by=by, owner=form.validated_data.get("owner"))
        return review_response(review.pk, by, http.HTTP_201_CREATED)

    @extend_schema(operation_id="reviews_retrieve", summary=_("Get a review"), responses=ReviewDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        refuse_unknown_parameters(request, set())
        return review_response(review_for(request, pk).pk, person(request))

    @extend_schema(
        operation_id="reviews_partial_update",
        summary=_("Update a review, or move it to another state"),
        description=_(
            "A completed review is reopened by `state: draft`; but for that, only its public edition changes."
        ),
        parameters=[IF_MATCH, IDEMPOTENCY_KEY],
        request=ReviewChangeSerializer,
        responses=ReviewDetailSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        review = review_for(request, pk)
        version = version_of(request, review)
        form = ReviewChangeSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        changes = dict(form.validated_data)
        expected = changes.pop("version", version)
        try:
            _change(review, changes, by=person(request), expected=expected)
        except ChangedMeanwhile as error:
            if version is None:
                raise
            raise StaleVersion(error.message, **error.extra) from error
        return review_response(review.pk, person(request))

    @extend_schema(
        operation_id="reviews_destroy",
        summary=_("Delete a review with its action items"),
        responses={204: None},
    )
    def destroy(self, request: Request, pk: str) -> Response:
        editing.delete_review(review_for(request, pk), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="reviews_publish",
        summary=_("Publish a review's public edition on the status page"),
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses=ReviewDetailSerializer,
    )
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        review = publishing.publish_edition(review_for(request, pk), by=person(request))
        return review_response(review.pk, person(request))

    @extend_schema(
        operation_id="reviews_withdraw",
        summary=_("Withdraw a review's public edition from the status page"),
        responses={204: None},
    )
    @publish.mapping.delete
    def withdraw(self, request: Request, pk: str) -> Response:
        publishing.withdraw_edition(review_for(request, pk), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)


@unit_of_work
def _change(review: Review, changes: dict[str, Any], *, by: User, expected: int | None) -> None:
    """Change fields, then move: all or none. Reopening comes first, so that what follows may change."""
    state = changes.pop("state", None)
    is_first = state is not None and review.completed_at is not None
    if is_first:
        review = editing.move_review(review, by=by, state=state, expected_version=expected)
        expected = None
    if changes or state is None:
        editing.edit_review(review, by=by, changes=changes, expected_version=expected)
        expected = None
    if state is not None and not is_first:
        editing.move_review(review, by=by, state=state, expected_version=expected)

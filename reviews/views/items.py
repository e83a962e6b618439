"""Routes of action items across reviews, and of the rules that require reviews."""

from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status as http
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.api.configuration import ConfigurationViewSet
from core.api.idempotency import IdempotentWrites
from core.api.paging import Key
from core.api.parameters import IDEMPOTENCY_KEY
from core.api.permissions import IsResponder, RespondersReadOrAdmin
from core.api.problems import refuse_unknown_parameters
from incidents.models import Incident
from reviews.filters import ITEMS, today_of
from reviews.models import ActionItem, ReviewRule
from reviews.permissions import absent
from reviews.serializers.items import (
    ActionItemChangeSerializer,
    ActionItemPageSerializer,
    ActionItemSerializer,
    ItemSummarySerializer,
)
from reviews.serializers.rules import ReviewRuleSerializer
from reviews.services import items, reporting
from reviews.views.reviews import NUMBERS, ONE
from users.authentication import person


def item_for(request: Request, id: str) -> ActionItem:
    """Return an action item of a review that the caller sees. Raises NotFound."""
    seen = ActionItem.objects.visible_to(person(request)).select_related("owner", "review__incident")
    item = seen.filter(pk=int(id)).first()
    if item is None:
        raise absent()
    return item


class ActionItemViewSet(IdempotentWrites, ViewSet):
    """Action items of reviews that the caller sees; responders and administrators only."""

    permission_classes = [IsResponder]
    lookup_value_regex = NUMBERS
    lookup_url_kwarg = "id"

    @extend_schema(
        operation_id="action_items_list",
        summary=_("List action items"),
        parameters=ITEMS.parameters,
        responses=ActionItemPageSerializer,
    )
    def list(self, request: Request) -> Response:
        viewer = person(request)
        asker = Incident.objects.visibility_key(viewer)
        pages = ITEMS.page(request, lambda: ActionItem.objects.visible_to(viewer), asker=asker)
        return pages.get_paginated_response(ActionItemSerializer(pages.rows, many=True).data)

    @extend_schema(
        operation_id="action_items_retrieve",
        summary=_("Get an action item"),
        parameters=[ONE],
        responses=ActionItemSerializer,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        refuse_unknown_parameters(request, set())
        return Response(ActionItemSerializer(item_for(request, id)).data)

    @extend_schema(
        operation_id="action_items_partial_update",
        summary=_("Update an action item"),
        description=_("Its owner may change `state` and `url`, who may change the review all of it."),
        parameters=[ONE, IDEMPOTENCY_KEY],
        request=ActionItemChangeSerializer,
        responses=ActionItemSerializer,
    )
    def partial_update(self, request: Request, id: str) -> Response:
        item = item_for(request, id)
        form = ActionItemChangeSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        items.edit_item(item, by=person(request), changes=form.validated_data)
        return Response(ActionItemSerializer(item_for(request, id)).data)

    @extend_schema(
        operation_id="action_items_destroy",
        summary=_("Delete an action item"),
        parameters=[ONE],
        responses={204: None},
    )
    def destroy(self, request: Request, id: str) -> Response:
        items.remove_item(item_for(request, id), by=person(request))
        return Response(status=http.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="action_items_summary",
        summary=_("Count unfinished action items by owner and team"),
        parameters=ITEMS.filter_parameters,
        responses=ItemSummarySerializer,
    )
    @action(detail=False)
    def summary(self, request: Request) -> Response:
        found = reporting.summary_of(self._filtered(request), today_of(request.user))
        return Response(ItemSummarySerializer(found).data)

    @extend_schema(
        operation_id="action_items_export",
        summary=_("Export action items as CSV"),
        description=_("With the columns of Jira's import: Summary, Description, Assignee, Due date, Labels."),
        parameters=ITEMS.filter_parameters,
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    @action(detail=False)
    def export(self, request: Request) -> HttpResponseBase:
        found = self._filtered(request)
        response = StreamingHttpResponse(reporting.csv_rows(found), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="action-items-{timezone.now():%Y-%m-%d}.csv"'
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _filtered(self, request: Request) -> QuerySet[ActionItem]:
        with ITEMS.refusing(request):
            rows: QuerySet[ActionItem] = ITEMS.select(ActionItem.objects.visible_to(person(request)), request).rows
        return rows


class ReviewRuleViewSet(ConfigurationViewSet):
    """Rules that require reviews of resolved incidents; the one with the shortest time wins."""

    queryset = ReviewRule.objects.all()
    serializer_class = ReviewRuleSerializer
    permission_classes = [RespondersReadOrAdmin]
    orderings = {"name": [Key("name")], "min_severity": [Key("min_severity")], "id": [Key("id")]}
    default_ordering = "name"
    lookup_value_regex = NUMBERS

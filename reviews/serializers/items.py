"""Action items as the API shows and takes them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import LineField, RowField, TextField
from core.api.schema import paged
from reviews.vocabulary import ItemState
from users.models import User


class ReviewPersonSerializer(serializers.Serializer[Any]):
    """A person of a review."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class ActionItemSerializer(serializers.Serializer[Any]):
    """An action item."""

    id = serializers.IntegerField()
    review = serializers.IntegerField(source="review_id")
    incident = serializers.CharField(source="review.incident.reference")
    title = serializers.CharField()
    description = serializers.CharField()
    owner = ReviewPersonSerializer(allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    state = serializers.ChoiceField(choices=ItemState.choices)
    url = serializers.CharField(help_text=_("Of the ticket in your tracker."))
    reminded_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class NewActionItemSerializer(StrictFields, serializers.Serializer[Any]):
    """An action item to add."""

    title = LineField(max_length=200)
    description = TextField(max_length=10_000, required=False, allow_blank=True)
    owner = RowField(queryset=User.objects.can_respond(), required=False, allow_null=True)
    due_on = serializers.DateField(required=False, allow_null=True)
    url = serializers.URLField(max_length=500, required=False, allow_blank=True)


class ActionItemChangeSerializer(NewActionItemSerializer):
    """A change of an action item; its owner may send `state` and `url`."""

    state = serializers.ChoiceField(choices=ItemState.choices, required=False)


class ItemCountSerializer(serializers.Serializer[Any]):
    """Unfinished action items of an owner or a team; null: of none."""

    id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    open = serializers.IntegerField()
    overdue = serializers.IntegerField()
    oldest = serializers.DateField(allow_null=True, help_text=_("The earliest due date."))


class ItemSummarySerializer(serializers.Serializer[Any]):
    """Unfinished action items: all, by owner, and by the incident's team."""

    open = serializers.IntegerField()
    overdue = serializers.IntegerField()
    oldest = serializers.DateField(allow_null=True)
    by_owner = ItemCountSerializer(many=True)
    by_team = ItemCountSerializer(many=True)


ActionItemPageSerializer = paged(ActionItemSerializer)

"""Reviews as the API shows and takes them."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.configuration import StrictFields
from core.api.fields import MAX_ID, LineField, RowField, TextField, WordField
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.models import Status
from reviews.models import Review
from reviews.models.review import MAX_TEXT
from reviews.permissions import can_edit
from reviews.serializers.items import ActionItemSerializer, ReviewPersonSerializer
from reviews.services.completeness import lacking
from reviews.validation import MAX_THEME, MAX_THEMES
from reviews.vocabulary import MOVES, Part, ReviewState
from users.models import User

MAX_PART = 4_000  # characters of a moment or a factor
MAX_EVENTS = 200


class ReviewedIncidentSerializer(serializers.Serializer[Any]):
    """The incident of a review."""

    id = serializers.IntegerField()
    reference = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS)


class MomentSerializer(serializers.Serializer[Any]):
    """A step of the narrative; `event` is the row of the timeline that it tells of."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    text = serializers.CharField()
    event = serializers.IntegerField(source="event_id", allow_null=True)


class FactorSerializer(serializers.Serializer[Any]):
    """A contributing factor."""

    id = serializers.IntegerField()
    position = serializers.IntegerField()
    text = serializers.CharField()


class ParticipantSerializer(serializers.Serializer[Any]):
    """Somebody who was involved, was interviewed, or reviews; `notes` are of the interview."""

    id = serializers.IntegerField()
    user = ReviewPersonSerializer()
    part = serializers.ChoiceField(choices=Part.choices)
    notes = serializers.CharField()


class ReviewSerializer(serializers.Serializer[Any]):
    """A review without its contents."""

    id = serializers.IntegerField()
    incident = ReviewedIncidentSerializer()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=ReviewState.choices)
    owner = ReviewPersonSerializer(allow_null=True)
    rule = serializers.IntegerField(source="rule_id", allow_null=True, help_text=_("The rule that requires it."))
    due_at = serializers.DateTimeField(allow_null=True)
    is_overdue = serializers.SerializerMethodField()
    published_at = serializers.DateTimeField(allow_null=True, help_text=_("When its public edition was published."))
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()

    def get_is_overdue(self, review: Review) -> bool:
        is_due = review.due_at is not None and review.due_at < timezone.now()
        return is_due and review.state != ReviewState.COMPLETED


class ReviewDetailSerializer(ReviewSerializer):
    """A review in full; `missing` says what it lacks to be completed."""

    summary = serializers.CharField()
    impact = serializers.CharField()
    surprises = serializers.CharField()
    went_well = serializers.CharField()
    went_badly = serializers.CharField()
    themes = serializers.ListField(child=serializers.CharField())
    public_title = serializers.CharField()
    public_text = serializers.CharField()
    public_translations = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
    moments = MomentSerializer(many=True)
    factors = FactorSerializer(many=True)
    participants = ParticipantSerializer(many=True)
    action_items = ActionItemSerializer(many=True)
    missing = serializers.SerializerMethodField()
    can_edit = serializers.SerializerMethodField()
    allowed_states = serializers.SerializerMethodField()

    def get_missing(self, review: Review) -> list[str]:
        return lacking(review)

    def get_can_edit(self, review: Review) -> bool:
        return can_edit(self.context["viewer"], review)

    def get_allowed_states(self, review: Review) -> list[str]:
        return [str(state) for state in MOVES[ReviewState(review.state)]] if self.get_can_edit(review) else []


class NewReviewSerializer(StrictFields, serializers.Serializer[Any]):
    """A review to start."""

    incident = serializers.CharField(max_length=24, help_text=_("Number or reference."))
    owner = RowField(
        queryset=User.objects.can_respond(),
        required=False,
        allow_null=True,
        help_text=_("The assignee, else whoever starts it, if you leave it out."),
    )


class ReviewChangeSerializer(StrictFields, serializers.Serializer[Any]):
    """A change of a review; `version` refuses it where somebody else saved meanwhile, as `If-Match` does."""

    title = LineField(max_length=200, required=False)
    state = serializers.ChoiceField(choices=ReviewState.choices, required=False)
    owner = RowField(queryset=User.objects.can_respond(), required=False, allow_null=True)
    summary = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)
    impact = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)
    surprises = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)
    went_well = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)
    went_badly = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)
    themes = serializers.ListField(child=LineField(max_length=MAX_THEME), max_length=MAX_THEMES, required=False)
    due_at = serializers.DateTimeField(required=False, allow_null=True)
    public_title = LineField(max_length=200, required=False, allow_blank=True)
    public_text = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)
    public_translations = serializers.DictField(
        child=serializers.DictField(child=TextField(max_length=MAX_TEXT, allow_blank=True)),
        required=False,
        help_text=_('{"de": {"title": "…", "text": "…"}}, of the status page\'s further languages.'),
    )
    version = serializers.IntegerField(required=False, min_value=1, max_value=MAX_ID)


class MomentChangeSerializer(StrictFields, serializers.Serializer[Any]):
    """A moment to add or change."""

    at = serializers.DateTimeField()
    text = TextField(max_length=MAX_PART)
    event = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_ID, help_text=_("Id of an event of the timeline.")
    )


class EventsSerializer(StrictFields, serializers.Serializer[Any]):
    """Events of the incident's timeline."""

    events = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID), min_length=1, max_length=MAX_EVENTS
    )


class FactorChangeSerializer(StrictFields, serializers.Serializer[Any]):
    """A contributing factor to add or change; a new one is last if no position is given."""

    text = TextField(max_length=MAX_PART)
    position = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class NewParticipantSerializer(StrictFields, serializers.Serializer[Any]):
    """Somebody to add."""

    user = RowField(queryset=User.objects.active())
    part = serializers.ChoiceField(choices=Part.choices, required=False)
    notes = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)


class ParticipantChangeSerializer(StrictFields, serializers.Serializer[Any]):
    """A change of somebody's part or notes."""

    part = serializers.ChoiceField(choices=Part.choices, required=False)
    notes = TextField(max_length=MAX_TEXT, required=False, allow_blank=True)

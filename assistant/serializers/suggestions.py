"""Suggestions as the API shows them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from assistant.vocabulary import (
    Confidence,
    EvidenceKind,
    LearntField,
    ModelState,
    ReasonKind,
    SuggestionKind,
    SummaryPart,
)
from core.severity import SEVERITY_WORDS

SCORE = _("From 0 to 1.")


class ReasonSerializer(serializers.Serializer[Any]):
    """Why an incident is similar."""

    kind = serializers.ChoiceField(choices=ReasonKind.choices)
    text = serializers.CharField()
    value = serializers.CharField()


class EvidenceSerializer(serializers.Serializer[Any]):
    """A row that speaks for it."""

    kind = serializers.ChoiceField(choices=EvidenceKind.choices)
    id = serializers.IntegerField()
    text = serializers.CharField()


class SimilarSerializer(serializers.Serializer[Any]):
    """Another incident that is like this one."""

    id = serializers.CharField()
    incident = serializers.IntegerField()
    reference = serializers.CharField()
    title = serializers.CharField()
    score = serializers.FloatField(help_text=SCORE)
    confidence_word = serializers.ChoiceField(choices=Confidence.choices)
    because = ReasonSerializer(many=True)


class CauseSerializer(serializers.Serializer[Any]):
    """A hypothesis about the cause."""

    id = serializers.CharField()
    hypothesis = serializers.CharField()
    confidence = serializers.FloatField(help_text=SCORE)
    confidence_word = serializers.ChoiceField(choices=Confidence.choices)
    evidence = EvidenceSerializer(many=True)


class RoutingReasonSerializer(serializers.Serializer[Any]):
    """A word or field of the incident that speaks for a suggestion."""

    kind = serializers.CharField(help_text=_("word, service, location, category, reporter, source or label."))
    value = serializers.CharField()
    weight = serializers.FloatField(help_text=_("What it adds to the odds, as a natural logarithm."))


class CandidateSerializer(serializers.Serializer[Any]):
    """A value that a field may have."""

    value = serializers.CharField(help_text=_("A team's number, a category's slug or a severity's word."))
    name = serializers.CharField()
    confidence = serializers.FloatField(help_text=SCORE)


class GuessSerializer(serializers.Serializer[Any]):
    """What one field may be, likeliest first."""

    field = serializers.ChoiceField(choices=LearntField.choices)
    confidence = serializers.FloatField(help_text=SCORE)
    is_current = serializers.BooleanField(help_text=_("The incident has the first candidate already."))
    ranked = CandidateSerializer(many=True)
    because = RoutingReasonSerializer(many=True)


class RoutingSerializer(serializers.Serializer[Any]):
    """Team, category and severity learnt from history; null for what it does not tell."""

    id = serializers.CharField()
    team = serializers.IntegerField(allow_null=True)
    team_name = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_null=True, help_text=_("Its slug."))
    severity = serializers.ChoiceField(choices=SEVERITY_WORDS, allow_null=True)
    confidence = serializers.FloatField(help_text=_("The lowest of what is told."))
    because = RoutingReasonSerializer(many=True)
    by_field = GuessSerializer(many=True, source="told")
    incidents = serializers.IntegerField(help_text=_("From how many incidents this was learnt."))


class SummaryLineSerializer(serializers.Serializer[Any]):
    """A line of the summary."""

    part = serializers.ChoiceField(choices=SummaryPart.choices)
    text = serializers.CharField()
    evidence = EvidenceSerializer(many=True)


class IncidentSummarySerializer(serializers.Serializer[Any]):
    """Where the incident stands."""

    id = serializers.CharField()
    text = serializers.CharField()
    evidence = EvidenceSerializer(many=True)
    lines = SummaryLineSerializer(many=True)


class ModelTextSerializer(serializers.Serializer[Any]):
    """A text of a language model."""

    id = serializers.CharField()
    text = serializers.CharField()
    evidence = EvidenceSerializer(many=True)


class ModelSuggestionsSerializer(serializers.Serializer[Any]):
    """What a language model answered, and whether it answers now."""

    state = serializers.ChoiceField(choices=ModelState.choices, source="status.state")
    reason = serializers.CharField(source="status.reason")
    causes = CauseSerializer(many=True)
    summary = ModelTextSerializer(allow_null=True)
    hand_over = ModelTextSerializer(allow_null=True)


class SuggestionsSerializer(serializers.Serializer[Any]):
    """What is suggested about an incident; empty lists where nothing is known."""

    similar = SimilarSerializer(many=True)
    duplicates = SimilarSerializer(many=True)
    causes = CauseSerializer(many=True)
    routing = RoutingSerializer(many=True)
    summary = IncidentSummarySerializer(allow_null=True)
    model = ModelSuggestionsSerializer(allow_null=True)


class VerdictSerializer(serializers.Serializer[Any]):
    """Whether a suggestion is useful."""

    useful = serializers.BooleanField(source="is_useful")


class GivenVerdictSerializer(VerdictSerializer):
    """A person's verdict."""

    suggestion = serializers.CharField()
    kind = serializers.ChoiceField(choices=SuggestionKind.choices)
    at = serializers.DateTimeField()

"""Suggestions as the API shows them."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from assistant.vocabulary import Confidence, EvidenceKind, ModelState, ReasonKind, SuggestionKind

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


class SuggestedTeamSerializer(serializers.Serializer[Any]):
    """A team."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class RoutingSerializer(serializers.Serializer[Any]):
    """Team, category and severity learnt from history."""

    id = serializers.CharField()
    team = SuggestedTeamSerializer(allow_null=True)
    category = serializers.CharField(allow_null=True)
    severity = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField(help_text=SCORE)


class IncidentSummarySerializer(serializers.Serializer[Any]):
    """Where the incident stands."""

    id = serializers.CharField()
    text = serializers.CharField()
    evidence = EvidenceSerializer(many=True)


class ModelEvidenceSerializer(serializers.Serializer[Any]):
    """A row that a model's answer cites."""

    kind = serializers.ChoiceField(choices=EvidenceKind.choices)
    id = serializers.IntegerField()


class ModelCauseSerializer(serializers.Serializer[Any]):
    """A hypothesis of a language model."""

    id = serializers.CharField()
    hypothesis = serializers.CharField()
    confidence = serializers.FloatField(help_text=SCORE)
    evidence = ModelEvidenceSerializer(many=True)


class ModelTextSerializer(serializers.Serializer[Any]):
    """A text of a language model."""

    id = serializers.CharField()
    text = serializers.CharField()
    evidence = ModelEvidenceSerializer(many=True)


class ModelSuggestionsSerializer(serializers.Serializer[Any]):
    """What a language model answered, and whether it answers now."""

    state = serializers.ChoiceField(choices=ModelState.choices, source="status.state")
    reason = serializers.CharField(source="status.reason")
    causes = ModelCauseSerializer(many=True)
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

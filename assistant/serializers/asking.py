"""Questions to the language model as the API shows them."""

from typing import Any

from rest_framework import serializers

from assistant.vocabulary import CallState, Task


class QuestionSerializer(serializers.Serializer[Any]):
    """What the model is asked."""

    task = serializers.ChoiceField(choices=Task.choices)


class ModelCallSerializer(QuestionSerializer):
    """A question that waits for the worker."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=CallState.choices)
    created_at = serializers.DateTimeField()

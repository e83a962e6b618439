from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from notifications.vocabulary import Problem


class UnreadyUserSerializer(serializers.Serializer[Any]):
    """A person."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class UnreadySerializer(serializers.Serializer[Any]):
    """Somebody who is to be paged but cannot be reached, or not as they wished."""

    user = UnreadyUserSerializer()
    code = serializers.ChoiceField(choices=Problem.values)
    reason = serializers.CharField()
    where = serializers.ListField(child=serializers.CharField(), help_text=_("Their schedules and policies."))
    is_warning = serializers.BooleanField(help_text=_("True if another way is left."))


class ReadinessSerializer(serializers.Serializer[Any]):
    """Everybody on a schedule in the next 30 days or in a policy who cannot be reached."""

    at = serializers.DateTimeField()
    results = UnreadySerializer(many=True)

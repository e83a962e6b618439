"""Categories and SLA policies as the API shows and takes them."""

import datetime as dt
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.configuration import CleanedModelSerializer
from core.api.schema import WALL_CLOCK
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.models import Category, SlaPolicy
from incidents.serializers.incidents import WordField
from incidents.sla import MIDNIGHT, is_midnight


class CategorySerializer(CleanedModelSerializer):
    """A category."""

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "description", "default_team", "is_active"]


@extend_schema_field({"type": "string", "pattern": rf"{WALL_CLOCK}|^{MIDNIGHT}(:00)?$", "example": "17:00:00"})
class EndTimeField(serializers.TimeField):
    """A time of day at which something ends; 24:00 is the midnight at the end of the day, and 00:00 the same."""

    def to_internal_value(self, value: Any) -> dt.time:
        """Midnight is stored as 00:00."""
        said = value.strip() if isinstance(value, str) else value
        return dt.time.min if is_midnight(said) else super().to_internal_value(said)

    def to_representation(self, value: Any) -> Any:
        """Midnight as the end that it is."""
        return f"{MIDNIGHT}:00" if value == dt.time.min else super().to_representation(value)


class SlaPolicySerializer(CleanedModelSerializer):
    """A service-level policy; minutes are counted round the clock or in its business hours."""

    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS)
    closes_at = EndTimeField(
        required=False, help_text="24:00 is midnight; a time before opens_at is of the next day (night shifts)."
    )

    class Meta:
        model = SlaPolicy
        fields = [
            "id",
            "name",
            "severity",
            "category",
            "ack_minutes",
            "resolve_minutes",
            "is_round_the_clock",
            "time_zone",
            "weekdays",
            "opens_at",
            "closes_at",
            "holidays",
        ]

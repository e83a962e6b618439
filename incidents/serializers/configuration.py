"""Categories and SLA policies as the API shows and takes them."""

from core.api.configuration import CleanedModelSerializer
from core.api.fields import WordField
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from incidents.models import Category, SlaPolicy
from incidents.serializers.fields import EndTimeField


class CategorySerializer(CleanedModelSerializer):
    """A category."""

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "description", "default_team", "is_active"]


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

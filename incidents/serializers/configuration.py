"""Categories and SLA policies as the API shows and takes them."""

from incidents.models import Category, SlaPolicy
from incidents.serializers.incidents import WordField
from incidents.vocabulary import SEVERITY_OF_WORD, SEVERITY_WORDS
from users.configuration import CleanedModelSerializer


class CategorySerializer(CleanedModelSerializer):
    """A category."""

    class Meta:
        model = Category
        fields = ["id", "name", "slug", "description", "default_team", "is_active"]


class SlaPolicySerializer(CleanedModelSerializer):
    """A service-level policy; minutes are counted round the clock or in its business hours."""

    severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS)

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

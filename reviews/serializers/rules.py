"""Review rules as the API shows and takes them."""

from core.api.configuration import CleanedModelSerializer
from core.api.fields import WordField
from core.severity import SEVERITY_OF_WORD, SEVERITY_WORDS
from reviews.models import ReviewRule


class ReviewRuleSerializer(CleanedModelSerializer):
    """A rule that requires reviews of resolved incidents."""

    min_severity = WordField(SEVERITY_OF_WORD, SEVERITY_WORDS, required=False)

    class Meta:
        model = ReviewRule
        fields = ["id", "name", "min_severity", "team", "within_days", "is_enabled"]

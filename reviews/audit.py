from auditlog.registry import auditlog

from reviews.models import ActionItem, Participant, Review, ReviewRule

# Counters, what follows from the rest, and free text: a leaked one is redacted in the review itself.
REVIEW = ("updated_at", "version", "remind_at", "public_translations")
TEXTS = ("title", "summary", "impact", "surprises", "went_well", "went_badly", "public_title", "public_text", "themes")


def register() -> None:
    """Record every save of reviews, without their texts, of action items and of rules."""
    auditlog.register(ReviewRule)
    auditlog.register(Review, exclude_fields=[*REVIEW, *TEXTS])
    auditlog.register(Participant, exclude_fields=["notes"])
    auditlog.register(ActionItem, exclude_fields=["title", "description", "remind_at", "reminded_at"])

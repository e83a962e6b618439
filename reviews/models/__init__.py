from reviews.models.items import ActionItem, OverdueReport
from reviews.models.review import Factor, Moment, Participant, Review
from reviews.models.rules import ReviewRule

__all__ = ["ActionItem", "Factor", "Moment", "OverdueReport", "Participant", "Review", "ReviewRule"]

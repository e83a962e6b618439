from reviews.views.contents import FactorViewSet, MomentViewSet, ParticipantViewSet, ReviewItemViewSet
from reviews.views.items import ActionItemViewSet, ReviewRuleViewSet
from reviews.views.reviews import ReviewViewSet

__all__ = [
    "ActionItemViewSet",
    "FactorViewSet",
    "MomentViewSet",
    "ParticipantViewSet",
    "ReviewItemViewSet",
    "ReviewRuleViewSet",
    "ReviewViewSet",
]

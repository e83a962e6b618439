from reviews.views.contents import FactorViewSet, MomentViewSet, ParticipantViewSet, ReviewItemViewSet
from reviews.views.documents import MarkdownView, PdfView
from reviews.views.items import ActionItemViewSet, ReviewRuleViewSet
from reviews.views.reviews import ReviewViewSet

__all__ = [
    "ActionItemViewSet",
    "FactorViewSet",
    "MarkdownView",
    "MomentViewSet",
    "ParticipantViewSet",
    "PdfView",
    "ReviewItemViewSet",
    "ReviewRuleViewSet",
    "ReviewViewSet",
]

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from reviews import views

router = SimpleRouter()
router.register("reviews", views.ReviewViewSet, basename="review")
router.register("action-items", views.ActionItemViewSet, basename="action-item")
router.register("review-rules", views.ReviewRuleViewSet, basename="review-rule")

of_review = SimpleRouter()
of_review.register("moments", views.MomentViewSet, basename="review-moment")
of_review.register("factors", views.FactorViewSet, basename="review-factor")
of_review.register("participants", views.ParticipantViewSet, basename="review-participant")
of_review.register("action-items", views.ReviewItemViewSet, basename="review-action-item")

urlpatterns = [
    *router.urls,
    path("reviews/<int:review_id>/", include(of_review.urls)),
    path("reviews/<int:review_id>/markdown/", views.MarkdownView.as_view(), name="review-markdown"),
    path("reviews/<int:review_id>/pdf/", views.PdfView.as_view(), name="review-pdf"),
]

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """Post-incident reviews and their action items."""

    name = "reviews"
    verbose_name = _("Reviews")

    def ready(self) -> None:
        """Follow the incidents, and remind of what is due."""
        from core.server.jobs import register_jobs
        from incidents.kinds import register_kinds
        from incidents.services.feed import register_follower
        from incidents.services.redaction import register_cleaner
        from reviews import audit
        from reviews.jobs import JOBS
        from reviews.services.redacting import remove_texts
        from reviews.vocabulary import ReviewEventKind
        from users.permissions import allow_responders

        audit.register()
        register_kinds(ReviewEventKind)
        register_follower("require_reviews", but_for=ReviewEventKind.values)
        register_cleaner(remove_texts)
        register_jobs(*JOBS)
        allow_responders("reviews", "view")

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReviewsConfig(AppConfig):
    """Post-incident reviews and their action items."""

    name = "reviews"
    verbose_name = _("Reviews")

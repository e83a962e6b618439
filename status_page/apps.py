from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatusPageConfig(AppConfig):
    """The public page: components, what is announced about them, and who is told."""

    name = "status_page"
    verbose_name = _("Status page")

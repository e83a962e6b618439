from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AssistantConfig(AppConfig):
    """Suggestions with their evidence."""

    name = "assistant"
    verbose_name = _("Assistant")

    def ready(self) -> None:
        """Register jobs."""
        from assistant.jobs import JOBS
        from core.server.jobs import register_jobs

        register_jobs(*JOBS)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AssistantConfig(AppConfig):
    """Suggestions with their evidence."""

    name = "assistant"
    verbose_name = _("Assistant")

    def ready(self) -> None:
        """Register jobs, follow the incidents, and remove leaked texts from copies."""
        from assistant import audit, monitoring
        from assistant.jobs import JOBS
        from assistant.services.redacting import remove_texts
        from core.server.jobs import register_jobs
        from incidents.services.feed import register_follower
        from incidents.services.redaction import register_cleaner

        register_cleaner(remove_texts)
        register_follower("suggest_routing")
        register_follower("ask_model_at_opening")
        audit.register()
        monitoring.register()
        register_jobs(*JOBS)

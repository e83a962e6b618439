from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntakeConfig(AppConfig):
    """Intake: sources, their keys, and the durable queue of what they sent."""

    name = "intake"
    verbose_name = _("Intake")

    def ready(self) -> None:
        from core.server.endpoints import register_finder
        from intake import monitoring
        from intake.asgi import find_endpoint

        register_finder(find_endpoint)
        monitoring.register()

from django.apps import AppConfig


class RespondersConfig(AppConfig):
    """Teams, who belongs to them, and the services they answer for."""

    name = "responders"
    verbose_name = "Teams and services"

    def ready(self) -> None:
        """Audit what people edit."""
        from responders.audit import register

        register()

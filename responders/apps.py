from django.apps import AppConfig


class RespondersConfig(AppConfig):
    """Teams, their members and the services they are responsible for."""

    name = "responders"
    verbose_name = "Teams and services"

    def ready(self) -> None:
        """Register the audit log."""
        from responders.audit import register

        register()

from django.apps import AppConfig


class LogsConfig(AppConfig):
    """Logs: taking lines in, keeping them, reading them, and rules that look for trouble in them."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Open the doors."""
        from logs.doors import open_doors

        open_doors()

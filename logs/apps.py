from django.apps import AppConfig


class LogsConfig(AppConfig):
    """Logs: taking lines in, keeping them, reading them, and rules that look for trouble in them."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Audit what people edit, and open the doors."""
        from logs.audit import register
        from logs.doors import open_doors

        register()
        open_doors()

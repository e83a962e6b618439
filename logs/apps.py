from django.apps import AppConfig


class LogsConfig(AppConfig):
    """Logs: taking lines in, keeping them, reading them, and rules that look for trouble in them."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Audit what people edit, open the doors, and read again what they kept."""
        from alerts.services.processing import register_reader
        from logs.audit import register
        from logs.doors import open_doors
        from logs.formats import formats
        from logs.services.intake import read_again

        register()
        open_doors()
        for name in formats():
            register_reader(name, read_again)

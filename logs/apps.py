from django.apps import AppConfig


class LogsConfig(AppConfig):
    """Logs: taking lines in, keeping them, reading them, and rules that look for trouble in them."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Audit what people edit, open the doors, read again what they kept, and tell of rules that are none."""
        from alerts.services.processing import register_reader
        from alerts.services.rules import look_for_faults
        from logs.audit import register
        from logs.doors import open_doors
        from logs.formats import formats
        from logs.services.intake import read_again
        from logs.services.rules import faulty_rules

        register()
        open_doors()
        look_for_faults(faulty_rules)
        for name in formats():
            register_reader(name, read_again)

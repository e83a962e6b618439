from django.apps import AppConfig


class LogsConfig(AppConfig):
    """Logs: taking lines in, keeping them, reading them, and rules that look for trouble in them."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Audit what people edit, register our own endpoint, and tell of rules that are none."""
        from alerts.services.rules import look_for_faults
        from intake.endpoints import register as register_endpoints
        from logs.audit import register
        from logs.endpoints.own import OWN
        from logs.services.rules import faulty_rules

        register()
        register_endpoints(OWN)
        look_for_faults(faulty_rules)

from django.apps import AppConfig


class LogsConfig(AppConfig):
    """Logs: taking lines in, keeping them, reading them, and rules that look for trouble in them."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Register the audit, the jobs, our own endpoint, and the look for faulty rules."""
        from alerts.services.rules import look_for_faults
        from core.server.jobs import register_jobs
        from intake.endpoints import register as register_endpoints
        from logs.audit import register
        from logs.endpoints.own import OWN
        from logs.jobs import JOBS
        from logs.services.rules import faulty_rules

        register()
        register_jobs(*JOBS)
        register_endpoints(OWN)
        look_for_faults(faulty_rules)

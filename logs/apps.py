from django.apps import AppConfig


class LogsConfig(AppConfig):
    """Logs: ingest, storage, search, and rules that detect trouble."""

    name = "logs"
    verbose_name = "Logs"

    def ready(self) -> None:
        """Register the audit log, jobs, our endpoint and the check of rules."""
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

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Incidents: lifecycle, timeline, attachments, clocks and metrics."""

    name = "incidents"
    verbose_name = "Incidents"

    def ready(self) -> None:
        """Register the audit and the jobs."""
        from core.server.jobs import register_jobs
        from incidents.audit import register
        from incidents.jobs import JOBS

        register()
        register_jobs(*JOBS)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncidentsConfig(AppConfig):
    """Incidents: lifecycle, timeline, attachments, targets and metrics."""

    name = "incidents"
    verbose_name = _("Incidents")

    def ready(self) -> None:
        """Register the audit, the jobs, and what is monitored."""
        from core.server.jobs import register_jobs
        from incidents import monitoring
        from incidents.audit import register
        from incidents.jobs import JOBS
        from incidents.kinds import register_kinds
        from incidents.vocabulary import EventKind
        from users.permissions import allow_responders

        register()
        register_kinds(EventKind)
        allow_responders("incidents", "view")
        monitoring.register()
        register_jobs(*JOBS)

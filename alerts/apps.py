from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """Alerts: intake, deduplication, grouping, routes and silences."""

    name = "alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        """Register the audit, the jobs, the endpoints and the kinds of events."""
        from alerts.audit import register
        from alerts.endpoints.intake import ENDPOINTS
        from alerts.jobs import JOBS
        from alerts.vocabulary import AlertEventKind
        from core.server.jobs import register_jobs
        from incidents.kinds import register_kinds
        from intake.endpoints import register_endpoints
        from users.permissions import allow_responders

        register()
        allow_responders("alerts.alert", "view")
        allow_responders("alerts.route", "view")
        allow_responders("alerts.silence", "view", "add")
        register_jobs(*JOBS)
        register_kinds(AlertEventKind)
        register_endpoints(*ENDPOINTS)

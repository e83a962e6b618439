from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Alerts: intake, deduplication, grouping, routes and silences."""

    name = "alerts"
    verbose_name = "Alerts"

    def ready(self) -> None:
        """Register the audit, the jobs and the endpoints."""
        from alerts.audit import register
        from alerts.endpoints.intake import ENDPOINTS
        from alerts.jobs import JOBS
        from core.server.jobs import register_jobs
        from intake.endpoints import register_endpoints
        from users.permissions import allow_responders

        register()
        allow_responders("alerts.alert", "view")
        allow_responders("alerts.route", "view")
        allow_responders("alerts.silence", "view", "add")
        register_jobs(*JOBS)
        register_endpoints(*ENDPOINTS)

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Alerts: intake, deduplication, grouping, routes and silences."""

    name = "alerts"
    verbose_name = "Alerts"

    def ready(self) -> None:
        """Audit what people edit, and open the doors."""
        from alerts.audit import register
        from alerts.endpoints.intake import ENDPOINTS
        from intake.endpoints import register as register_endpoints

        register()
        register_endpoints(*ENDPOINTS)

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Incidents: lifecycle, timeline, attachments, clocks and metrics."""

    name = "incidents"
    verbose_name = "Incidents"

    def ready(self) -> None:
        """Audit what people edit."""
        from incidents.audit import register

        register()

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Incidents: lifecycle, timeline, attachments, clocks and metrics."""

    name = "incidents"
    verbose_name = "Incidents"

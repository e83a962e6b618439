from django.apps import AppConfig


class IncidentResponseConfig(AppConfig):
    """The composition root: the server, the worker and what they keep about themselves."""

    name = "incident_response"
    verbose_name = "System"

    def ready(self) -> None:
        """Register the system checks."""
        from incident_response import checks  # noqa: F401

from django.apps import AppConfig


class IncidentResponseConfig(AppConfig):
    name = "incident_response"
    verbose_name = "System"

    def ready(self) -> None:
        from incident_response import checks  # noqa: F401

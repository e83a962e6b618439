from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from core.server.jobs import register_waker


class IncidentResponseConfig(AppConfig):
    name = "incident_response"
    verbose_name = _("System")

    def ready(self) -> None:
        from alerts.services.simulating import register_contributor
        from incident_response import checks  # noqa: F401
        from incident_response.legacy import setup
        from incident_response.notified import NOTIFIED
        from incident_response.silenced import silenced_incidents
        from paging.pages import register_pause

        register_contributor(NOTIFIED)
        register_pause(silenced_incidents)
        setup.register()
        if settings.ENGINE == "celery":
            _wake_by_messages()


def _wake_by_messages() -> None:
    try:
        from core.server.messages import publisher
    except ImportError as error:
        raise ImproperlyConfigured(
            "ENGINE is celery, which is not installed: pip install -r requirements-celery.txt"
        ) from error
    register_waker(publisher.wake)

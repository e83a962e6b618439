from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LogsConfig(AppConfig):
    name = "logs"
    verbose_name = _("Logs")

    def ready(self) -> None:
        from alerts.services.rules import look_for_faults
        from core.server.jobs import register_jobs
        from intake.endpoints import register_endpoints
        from logs import monitoring
        from logs.audit import register
        from logs.endpoints.own import OWN
        from logs.jobs import JOBS
        from logs.services.rules import faulty_rules
        from users.permissions import allow_responders

        register()
        monitoring.register()
        allow_responders("logs", "view")
        register_jobs(*JOBS)
        register_endpoints(OWN)
        look_for_faults(faulty_rules)

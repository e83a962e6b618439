from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("System")

    def ready(self) -> None:
        from core.jobs import JOBS
        from core.server.jobs import register_jobs

        register_jobs(*JOBS)

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RemediationConfig(AppConfig):
    """Runbooks, and runs that somebody approved."""

    name = "remediation"
    verbose_name = _("Remediation")

    def ready(self) -> None:
        """Register jobs."""
        from core.server.jobs import register_jobs
        from remediation.jobs import JOBS

        register_jobs(*JOBS)

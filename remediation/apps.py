from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RemediationConfig(AppConfig):
    """Runbooks, and runs that somebody approved."""

    name = "remediation"
    verbose_name = _("Remediation")

    def ready(self) -> None:
        """Register jobs and kinds of steps."""
        from core.server.jobs import register_jobs
        from remediation.jobs import JOBS
        from remediation.steps.kubernetes.step import KubernetesStep
        from remediation.steps.port import register_step_kind

        register_jobs(*JOBS)
        register_step_kind(KubernetesStep())

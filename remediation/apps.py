from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RemediationConfig(AppConfig):
    """Runbooks, and runs that somebody approved."""

    name = "remediation"
    verbose_name = _("Remediation")

    def ready(self) -> None:
        """Register kinds of steps, follow the incidents, and do what runs have to do."""
        from core.server.jobs import register_jobs
        from incidents.kinds import register_kinds
        from incidents.services.feed import register_follower
        from incidents.services.redaction import register_cleaner
        from notifications.channels.chat.actions import register_action
        from remediation import audit, monitoring
        from remediation.jobs import JOBS
        from remediation.services import pressing, telling
        from remediation.services.redacting import remove_texts
        from remediation.steps.agent.step import AgentStep
        from remediation.steps.http import HttpStep
        from remediation.steps.kubernetes.step import KubernetesStep
        from remediation.steps.port import register_step_kind
        from remediation.steps.ssm.step import SsmStep
        from remediation.vocabulary import RunEventKind
        from users.permissions import allow_responders

        audit.register()
        monitoring.register()
        register_step_kind(HttpStep())
        register_step_kind(AgentStep())
        register_step_kind(KubernetesStep())
        register_step_kind(SsmStep())
        register_kinds(RunEventKind)
        register_follower("propose_remediation", but_for=RunEventKind.values)
        register_cleaner(remove_texts)
        register_jobs(*JOBS)
        register_action(telling.APPROVE, pressing.approve)
        register_action(telling.REJECT, pressing.reject)
        for model in ("runbook", "runbookversion", "run", "freezewindow", "stop"):
            allow_responders(f"remediation.{model}", "view")

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RespondersConfig(AppConfig):
    name = "responders"
    verbose_name = _("Teams")

    def ready(self) -> None:
        from core.server.jobs import register_jobs
        from responders import monitoring, targets
        from responders.audit import register
        from responders.jobs import JOBS
        from responders.services.leaving import leave_schedules, losses
        from responders.services.tokens import revoke_calendar_tokens
        from users.claiming import register_claiming
        from users.leaving import register_leaving
        from users.permissions import allow_responders

        register()
        targets.register()
        register_jobs(*JOBS)
        monitoring.register()
        register_leaving(losses, leave_schedules)
        register_claiming(revoke_calendar_tokens)
        allow_responders("responders", "view")

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PagingConfig(AppConfig):
    """Escalation: who is paged for an incident, when, and why."""

    name = "paging"
    verbose_name = _("On call")

    def ready(self) -> None:
        """Follow the incidents, and stop paging when somebody answers."""
        from core.server.jobs import register_jobs
        from incidents.kinds import register_kinds
        from incidents.services.feed import register_follower
        from incidents.services.recording import register_participant
        from incidents.services.redaction import register_cleaner
        from paging import monitoring
        from paging.jobs import JOBS
        from paging.services.answering import stand_down
        from paging.services.by_hand import remove_texts
        from paging.services.starting import incidents_of
        from paging.vocabulary import PagingEventKind
        from responders.services.policies import register_running

        register_kinds(PagingEventKind)
        register_participant(stand_down)
        register_cleaner(remove_texts)
        register_follower("start_escalations", but_for=PagingEventKind.values)
        register_jobs(*JOBS)
        register_running(incidents_of)
        monitoring.register()

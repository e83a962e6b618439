from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StatusPageConfig(AppConfig):
    """The public page: components, what is announced about them, and who is told."""

    name = "status_page"
    verbose_name = _("Status page")

    def ready(self) -> None:
        """Register audit, jobs, what timelines say, and the files past Django."""
        from core.server.endpoints import register_finder, register_relocator
        from core.server.jobs import register_jobs
        from incidents.kinds import register_kinds
        from incidents.services.redaction import register_cleaner
        from notifications.audiences import register_audience
        from status_page import http, monitoring
        from status_page.audit import register
        from status_page.jobs import JOBS
        from status_page.services.redacting import remove_texts
        from status_page.services.subscribing import AUDIENCE
        from status_page.services.telling import write_letters
        from status_page.vocabulary import StatusEventKind
        from users.permissions import allow_responders

        register()
        register_kinds(StatusEventKind)
        register_cleaner(remove_texts)
        register_audience(AUDIENCE, write_letters)
        for model in ("statuspage", "component", "componentgroup", "updatetemplate", "impactspan"):
            allow_responders(f"status_page.{model}", "view")
        allow_responders("status_page.publicincident", "view", "add", "change")
        allow_responders("status_page.publicupdate", "view", "change")
        register_jobs(*JOBS)
        register_relocator(http.relocate)
        register_finder(http.find_endpoint)
        monitoring.register()

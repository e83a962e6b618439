import importlib
import pkgutil

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """Notifications: contact methods, rules, deliveries, channels."""

    name = "notifications"
    verbose_name = _("Notifications")

    def ready(self) -> None:
        """Register the channels that each folder of `channels` holds, and what delivers."""
        self._register_channels()
        self._follow()

    def _register_channels(self) -> None:
        from notifications import channels
        from notifications.channels.port import register_channel

        for folder in pkgutil.iter_modules(channels.__path__):
            if not folder.ispkg:
                continue
            package = importlib.import_module(f"notifications.channels.{folder.name}")
            if any(module.name == "channel" for module in pkgutil.iter_modules(package.__path__)):
                for channel in importlib.import_module(f"{package.__name__}.channel").CHANNELS:
                    register_channel(channel)

    def _follow(self) -> None:
        from core.server.jobs import register_jobs
        from incidents.services.feed import register_follower
        from incidents.services.redaction import register_cleaner
        from notifications import monitoring
        from notifications.audit import register
        from notifications.channels.chat import monitoring as chat_monitoring
        from notifications.channels.chat.jobs import CHAT_JOBS
        from notifications.channels.email import monitoring as mail_monitoring
        from notifications.channels.email.jobs import JOBS as MAIL_JOBS
        from notifications.jobs import JOBS, delivery_jobs
        from notifications.services import targets
        from notifications.services.amending import amend_notices
        from notifications.services.methods import remove_all_methods
        from notifications.services.notices import plan_notices
        from notifications.services.planning import cancel_pages, plan_pages, undelivered
        from notifications.services.reach import deliveries_of, describe_reach, stuck
        from notifications.services.redacting import remove_texts
        from paging import pages
        from responders.notices import register_notice_amender, register_notice_handler
        from users.claiming import register_claiming

        register()
        register_notice_handler(plan_notices)
        register_notice_amender(amend_notices)
        targets.register()
        pages.register_page_handler(plan_pages)
        pages.register_cancel_handler(cancel_pages)
        pages.register_reach(describe_reach)
        pages.register_delivery_details(deliveries_of)
        pages.register_undelivered(undelivered)
        pages.register_finding(stuck)
        register_claiming(remove_all_methods)
        register_follower("plan_deliveries")
        register_cleaner(remove_texts)
        register_jobs(*JOBS, *MAIL_JOBS, *CHAT_JOBS, *delivery_jobs())
        monitoring.register()
        chat_monitoring.register()
        mail_monitoring.register()

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    name = "console"
    verbose_name = _("Console")

    def ready(self) -> None:
        from console.live import asgi
        from core.server.endpoints import register_finder, register_stopper

        register_finder(asgi.find_endpoint)
        register_stopper(asgi.stop)

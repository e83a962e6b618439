import importlib
import pkgutil

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Notifications: contact methods, rules, deliveries, channels."""

    name = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Register the channels that each folder of `channels` holds."""
        from notifications import channels
        from notifications.channels.port import register_channel

        for folder in pkgutil.iter_modules(channels.__path__):
            if not folder.ispkg:
                continue
            package = importlib.import_module(f"notifications.channels.{folder.name}")
            if any(module.name == "channel" for module in pkgutil.iter_modules(package.__path__)):
                for channel in importlib.import_module(f"{package.__name__}.channel").CHANNELS:
                    register_channel(channel)

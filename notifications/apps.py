from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Notifications: contact methods, rules, deliveries, channels."""

    name = "notifications"
    verbose_name = "Notifications"

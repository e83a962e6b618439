from auditlog.registry import auditlog

from notifications.models import ContactMethod, NotificationRule, RoomChannel, WebhookEndpoint

SECRET = ["code_digest", "code_expires_at", "code_tries", "data"]


def register() -> None:
    """Audit every save of these models, without codes, keys and secrets."""
    auditlog.register(ContactMethod, exclude_fields=[*SECRET, "address", "address_key"])
    auditlog.register(NotificationRule)
    auditlog.register(RoomChannel, exclude_fields=["data", "address"])
    auditlog.register(WebhookEndpoint, exclude_fields=["secret", "old_secret", "url"])

"""Configured webhooks: secrets, what is not sent back."""

import datetime as dt
from urllib.parse import urlsplit

from auditlog.models import LogEntry
from django.conf import settings
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import DomainError
from core.outbound.urls import validate_url
from incidents.models import IncidentEvent
from notifications.channels.port import Address
from notifications.channels.webhook.channel import LONGEST
from notifications.channels.webhook.signing import new_secret
from notifications.models import WebhookEndpoint
from users.audit import write
from users.models import User

OVERLAP = dt.timedelta(hours=24)  # both secrets sign


def address_of(webhook: WebhookEndpoint, now: dt.datetime) -> Address:
    """Return where a webhook leads, with the secrets that sign."""
    is_rotating = webhook.old_secret and webhook.old_secret_until is not None and now < webhook.old_secret_until
    keys = [webhook.secret, webhook.old_secret] if is_rotating else [webhook.secret]
    return Address(webhook.url, {"secrets": keys, "format": webhook.format})


def is_echo(webhook: WebhookEndpoint, event: IncidentEvent) -> bool:
    """Return whether an event came from the system behind the webhook, or its incident did: it is not sent back."""
    systems = {name.casefold() for name in webhook.mirrors}
    return event.incident.origin_system.casefold() in systems or event.machine_name.casefold() in systems


def check_url(text: str) -> str:
    """Return a webhook's address as it is stored. Raises DomainError, also for our own: it would never end."""
    url = validate_url(text, field="url", most=LONGEST)
    if _server_of(url) == _server_of(settings.PUBLIC_URL):
        raise DomainError(_("This is the address of this server itself."), field="url")
    return url


def _server_of(url: str) -> tuple[str | None, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


@unit_of_work
def rotate_secret(webhook: WebhookEndpoint, *, by: User) -> str:
    """Return a new secret; for a day, the old one signs too."""
    row = WebhookEndpoint.objects.select_for_update().get(pk=webhook.pk)
    row.old_secret, row.old_secret_until = row.secret, database_now() + OVERLAP
    row.secret = new_secret()
    row.save(update_fields=["secret", "old_secret", "old_secret_until"])
    with acting(by):
        write(row, LogEntry.Action.UPDATE, {"secret": ("…", "replaced")})
    return row.secret

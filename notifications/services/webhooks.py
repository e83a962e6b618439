"""Configured webhooks: secrets, what is not sent back, deliveries sent again."""

import datetime as dt
import secrets
from urllib.parse import urlsplit

from auditlog.models import LogEntry
from django.conf import settings
from django.utils.translation import gettext as _

from core.actor import acting
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound, TooManyRequests
from core.outbound.urls import validate_url
from incidents.models import Incident, IncidentEvent
from notifications.channels.port import Address
from notifications.channels.webhook.channel import LONGEST
from notifications.channels.webhook.signing import new_secret
from notifications.models import Delivery, WebhookEndpoint
from notifications.services.outbox import horizon_of, new_delivery, of_webhook, put, wake_channels
from notifications.vocabulary import Importance, Kind, MethodState, State
from users.audit import write
from users.models import User

OVERLAP = dt.timedelta(hours=24)  # both secrets sign
TESTS_PER_HOUR = 20
ENDED = (State.HANDED_OVER, State.ACCEPTED, State.DELIVERED, State.FAILED, State.CANCELLED)
WORKING = {"state": MethodState.OK, "reason": "", "failing_since": None}


def address_of(webhook: WebhookEndpoint, now: dt.datetime) -> Address:
    """Return where a webhook leads, with the secrets that sign."""
    is_rotating = webhook.old_secret and webhook.old_secret_until is not None and now < webhook.old_secret_until
    keys = [webhook.secret, webhook.old_secret] if is_rotating else [webhook.secret]
    return Address(webhook.url, {"secrets": keys, "format": webhook.format})


def is_echo(webhook: WebhookEndpoint, incident: Incident, event: IncidentEvent | None = None) -> bool:
    """Return whether incident or event came from the system behind the webhook."""
    systems = {name.casefold() for name in webhook.mirrors}
    origins = {incident.origin_system, event.machine_name if event is not None else ""}
    return any(origin.casefold() in systems for origin in origins)


def check_url(text: str) -> str:
    """Return a webhook's address. Raises DomainError, for our own too: it would never end."""
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


@unit_of_work
def send_test(webhook: WebhookEndpoint, *, by: User) -> Delivery:
    """Send a test message. Raises Conflict, TooManyRequests."""
    _require_enabled(webhook)
    now = database_now()
    tests = Delivery.objects.filter(webhook=webhook, kind=Kind.TEST, created_at__gt=now - dt.timedelta(hours=1))
    if tests.count() >= TESTS_PER_HOUR:
        message = _("At most %(most)d tests an hour; try again later.")
        raise TooManyRequests(message % {"most": TESTS_PER_HOUR}, retry_after=3600)
    delivery = new_delivery(
        f"test:{secrets.token_hex(16)}",
        of_webhook(webhook),
        Kind.TEST,
        at=now,
        importance=Importance.HIGH,
        content={"by": by.name},
    )
    put([delivery])
    return delivery


@unit_of_work
def redeliver(webhook: WebhookEndpoint, delivery_id: int) -> Delivery:
    """Send a delivery once more, under its old webhook-id. Raises NotFound, Conflict."""
    _require_enabled(webhook)
    delivery = Delivery.objects.select_for_update().filter(pk=delivery_id, webhook=webhook).first()
    if delivery is None:
        raise NotFound(_("This webhook has no such delivery."))
    if delivery.state not in ENDED:
        message = _("The delivery is %(state)s.") % {"state": State(delivery.state).label.lower()}
        raise Conflict(message, code="invalid_state", state=delivery.state)
    now = database_now()
    values = {
        **{"state": State.WAITING, "reason": "", "held_because": "", "leased_until": None, "receipt_due_at": None},
        **{"handed_over_at": None, "accepted_at": None, "delivered_at": None},
        **{"next_attempt_at": now, "gives_up_at": now + horizon_of(delivery.channel, delivery.kind)},
    }
    for name, value in values.items():
        setattr(delivery, name, value)
    delivery.save(update_fields=list(values))
    wake_channels([delivery])
    return delivery


def _require_enabled(webhook: WebhookEndpoint) -> None:
    if not webhook.is_enabled or webhook.state == MethodState.DISABLED:
        raise Conflict(_("The webhook is disabled; enable it first."), code="disabled")

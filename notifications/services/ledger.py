"""What administrators do with deliveries."""

from django.utils.translation import gettext as _

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict
from notifications.models import Delivery
from notifications.services.outbox import HORIZON, wake_channels
from notifications.vocabulary import PENDING, Kind, State

REPEATABLE = (State.FAILED, State.HANDED_OVER, State.ACCEPTED, State.DELIVERED, State.CANCELLED)

DUE_COLUMNS = (
    *("state", "held_because", "leased_until", "receipt_due_at", "next_attempt_at", "gives_up_at", "reason"),
    "bundle",
)


@unit_of_work
def retry(delivery: Delivery) -> Delivery:
    """Send a delivery again, now. Raises Conflict; a page that needs no answer any more is still not sent."""
    row = _lock(delivery)
    if row.state in PENDING:
        return _due_now(row)
    if row.state not in REPEATABLE or row.kind == Kind.CODE:
        raise Conflict(_("This delivery cannot be repeated."), code="not_repeatable")
    row.reason, row.bundle = "", None
    return _due_now(row)


@unit_of_work
def cancel(delivery: Delivery) -> Delivery:
    """Send a waiting delivery no more. Raises Conflict."""
    row = _lock(delivery)
    if row.state not in PENDING and row.next_attempt_at is None:
        raise Conflict(_("Only what waits can be cancelled."), code="not_waiting")
    row.state, row.reason, row.next_attempt_at = State.CANCELLED, "Cancelled by an administrator.", None
    row.save(update_fields=["state", "reason", "next_attempt_at"])
    if row.bundle_count and row.leased_until is None:
        Delivery.objects.pending().filter(bundle=row.pk).update(bundle=None, next_attempt_at=database_now())
    return row


@unit_of_work
def release(delivery: Delivery) -> Delivery:
    """Send a held delivery now. Raises Conflict."""
    row = _lock(delivery)
    if row.state != State.HELD:
        raise Conflict(_("Only what is held can be released."), code="not_held")
    row.pace_key = ""  # it is not gathered again
    row.save(update_fields=["pace_key"])
    return _due_now(row)


def _lock(delivery: Delivery) -> Delivery:
    row = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if row.leased_until is not None and row.next_attempt_at == row.leased_until and row.leased_until > database_now():
        raise Conflict(_("This delivery is being sent at this moment."), code="being_sent")
    return row


def _due_now(row: Delivery) -> Delivery:
    now = database_now()
    row.state, row.held_because, row.leased_until, row.receipt_due_at = State.WAITING, "", None, None
    row.next_attempt_at, row.gives_up_at = now, now + HORIZON[Kind(row.kind)]
    row.save(update_fields=DUE_COLUMNS)
    wake_channels([row])
    return row

"""Note that mails of ours came back."""

from collections.abc import Sequence

from django.db.models import QuerySet

from notifications.channels.email.channel import KIND
from notifications.channels.email.inbound.bounces import Bounce
from notifications.channels.email.inbound.outcomes import Outcome
from notifications.channels.email.tokens import Token
from notifications.channels.port import Failed
from notifications.models import ContactMethod, RoomChannel
from notifications.services.methods import mark_failing
from notifications.services.receipts import record_failure
from notifications.vocabulary import InboundState

NOT_OURS = "It reports on a mail that is not ours."
TRIES_AGAIN = "The mail server still tries to deliver: "


def record_bounce(bounce: Bounce) -> Outcome:
    """Have the delivery go on to the next method, and mark the address as failing.

    Reports are easily forged, tokens are not: one counts if it is that of a mail sent, or signed for an address here.
    """
    if not bounce.is_final:
        return Outcome(InboundState.IGNORED, f"{TRIES_AGAIN}{bounce.reason}")
    reason = f"A mail came back: {bounce.reason}"
    is_sent = any(record_failure(KIND, str(token), Failed(reason, is_permanent=True)) for token in bounce.tokens)
    way = _way_of(bounce.tokens)
    if way is not None:
        mark_failing(way, reason)
    elif not is_sent:
        return Outcome(InboundState.IGNORED, NOT_OURS)
    return Outcome(InboundState.BOUNCE, bounce.reason, user=way.user if isinstance(way, ContactMethod) else None)


def _way_of(tokens: Sequence[Token]) -> ContactMethod | RoomChannel | None:
    """Return the address that a mail went to; bounces are rare, so that all are tried."""
    ways: tuple[QuerySet[ContactMethod] | QuerySet[RoomChannel], ...]
    ways = ContactMethod.objects.filter(kind=KIND), RoomChannel.objects.filter(kind=KIND)
    for found in ways if tokens else ():
        for pk, address in found.values_list("pk", "address").iterator():
            if any(token.is_for(address) for token in tokens):
                return found.filter(pk=pk).first()
    return None

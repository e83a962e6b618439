"""Note that mails of ours came back."""

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

    A token counts only if it is signed for an address of ours: reports are easily forged.
    """
    ways = [(token, way) for token in bounce.tokens if (way := _way_of(token)) is not None]
    if not ways:
        return Outcome(InboundState.IGNORED, NOT_OURS)
    if not bounce.is_final:
        return Outcome(InboundState.IGNORED, f"{TRIES_AGAIN}{bounce.reason}")
    token, way = ways[0]
    reason = f"A mail came back: {bounce.reason}"
    record_failure(KIND, str(token), Failed(reason, is_permanent=True))
    mark_failing(way, reason)
    return Outcome(InboundState.BOUNCE, bounce.reason, user=way.user if isinstance(way, ContactMethod) else None)


def _way_of(token: Token) -> ContactMethod | RoomChannel | None:
    """Return the address that a mail went to; bounces are rare, so that all are tried."""
    for model in (ContactMethod, RoomChannel):
        for pk, address in model._default_manager.filter(kind=KIND).values_list("pk", "address").iterator():
            if token.is_for(address):
                return model._default_manager.filter(pk=pk).first()
    return None

"""States as badges."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.text.sentences import shown
from notifications.models import Delivery
from notifications.vocabulary import MethodState, State

STATE_STYLES = {
    State.WAITING: "ir-status-acknowledged",
    State.HELD: "ir-severity-high",
    State.FAILED: "ir-late",
    State.ANSWERED: "ir-status-resolved",
    State.DELIVERED: "ir-status-resolved",
}
METHOD_STYLES = {
    MethodState.OK: "ir-status-resolved",
    MethodState.FAILING: "ir-severity-high",
    MethodState.DISABLED: "ir-late",
}


def delivery_badge(delivery: Delivery) -> SafeString:
    """Return a delivery's state, with the reason as tooltip."""
    style = STATE_STYLES.get(State(delivery.state), "")
    label = State(delivery.state).label
    return _badge(style, label, shown(delivery.held_because or delivery.reason))


def method_badge(state: str, reason: str) -> SafeString:
    return _badge(METHOD_STYLES.get(MethodState(state), ""), MethodState(state).label, reason)


def _badge(style: str, label: object, reason: str) -> SafeString:
    return format_html('<span class="ir-badge {}" title="{}">{}</span>', style, reason, label)

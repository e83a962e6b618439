"""The inbox, the deliveries, and their filters."""

from typing import Any

from core.api.listing import Filter, ListQuery, exact, flag, row_id, time, words
from core.api.paging import Key
from core.api.problems import refuse
from incidents.views.lookup import NUMBER
from notifications.models import Delivery, Notification
from notifications.vocabulary import Kind, State


def by_incident(rows: Any, name: str, value: str, user: Any) -> Any:
    match = NUMBER.match(value)
    if match is None:
        refuse(name, f"{value} is neither an incident's number nor its reference.")
    return rows.filter(incident_id=int(match.group(1)))


INCIDENT = Filter(by_incident, "Number or reference.")
STATES = {word: word for word in State.values}
KINDS = {word: word for word in Kind.values}

INBOX = ListQuery(
    "inbox",
    Notification,
    orderings={"id": [Key("id")]},
    default_ordering="-id",
    filters={
        "unread": flag(lambda rows, value: rows.filter(read_at__isnull=value), help="`true`: only unread entries."),
        "incident": INCIDENT,
    },
)
DELIVERIES = ListQuery(
    "deliveries",
    Delivery,
    orderings={"id": [Key("id")]},
    default_ordering="-id",
    related=("attempts",),
    filters={
        "incident": INCIDENT,
        "user": row_id("user_id"),
        "state": words("state", STATES, f"Comma-separated: {', '.join(STATES)}."),
        "kind": words("kind", KINDS, f"Comma-separated: {', '.join(KINDS)}."),
        "channel": exact("channel", "Kind of channel, such as email."),
        "created_after": time("created_at__gte", "ISO 8601, inclusive."),
        "created_before": time("created_at__lt", "ISO 8601, exclusive."),
    },
)

"""Lists of public incidents, maintenance and subscribers, and their filters."""

from typing import Any

from core.api.listing import Filter, ListQuery, flag, row_id, time, words
from core.api.paging import Key
from core.api.problems import refuse
from incidents.models import Incident
from incidents.views.lookup import NUMBER
from status_page.models import PublicIncident, Subscriber
from status_page.services.subscribing import key_of
from status_page.vocabulary import STATES, Impact, Kind, SubscriberState

AFTER, BEFORE = "ISO 8601, inclusive.", "ISO 8601, exclusive."


def _by_incident(rows: Any, name: str, value: str, user: Any) -> Any:
    match = NUMBER.match(value)
    if match is None:
        refuse(name, f"{value} is neither an incident's number nor its reference.")
    seen = Incident.objects.visible_to(user).filter(pk=int(match.group(1))).order_by()
    return rows.filter(incident__in=list(seen.values_list("pk", flat=True)))


def _list(name: str, kind: Kind) -> ListQuery:
    states = {state.value: state.value for state in STATES[kind]}
    return ListQuery(
        name,
        PublicIncident,
        orderings={"starts_at": [Key("starts_at")], "id": [Key("id")]},
        default_ordering="-starts_at",
        related=("components",),
        filters={
            "is_open": flag(lambda rows, value: rows.filter(ended_at__isnull=value)),
            "state": words("state", states, f"Comma-separated: {', '.join(states)}."),
            "impact": words("impact", {word: word for word in Impact.values}, "Comma-separated words."),
            "component": row_id("components"),
            "incident": Filter(_by_incident, "Number or reference.", is_lasting=False),
            "starts_after": time("starts_at__gte", AFTER),
            "starts_before": time("starts_at__lt", BEFORE),
        },
    )


PUBLIC_INCIDENTS = _list("public incidents", Kind.INCIDENT)
MAINTENANCE = _list("maintenance", Kind.MAINTENANCE)

SUBSCRIBER_STATES = {word: word for word in SubscriberState.values}
SUBSCRIBERS = ListQuery(
    "subscribers",
    Subscriber,
    orderings={"id": [Key("id")]},
    default_ordering="-id",
    related=("components",),
    filters={
        "state": words("state", SUBSCRIBER_STATES, f"Comma-separated: {', '.join(SUBSCRIBER_STATES)}."),
        "component": row_id("components"),
        "email": Filter(lambda rows, name, value, user: rows.filter(email_key=key_of(value)), "The whole address."),
    },
)

"""Say how people would be reached, what became of pages, and what is stuck."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from core.text.sentences import Sentence
from notifications.models import Delivery
from notifications.rules import quiet_until, ways_of
from notifications.services import recipients
from notifications.services.machine_events import text_of
from notifications.vocabulary import Importance
from paging.models import Page
from paging.pages import Reach

STUCK_MINUTES = 5
ONE_LATE = Sentence("1 delivery by %(channel)s is overdue by more than %(minutes)s minutes.")
MANY_LATE = Sentence("%(count)s deliveries by %(channel)s are overdue by more than %(minutes)s minutes.")


def describe_reach(user_ids: Collection[int], importance: str, at: dt.datetime) -> Mapping[int, Sequence[Reach]]:
    """Return the kinds of methods by which people would be reached, soonest first; none for those who cannot be."""
    found: dict[int, list[Reach]] = {number: [] for number in user_ids}
    for number, person in recipients.load(user_ids).items():
        rule, methods = person.rules.get(importance), person.usable()
        quiet_hours = rule.quiet_hours if rule and importance == Importance.LOW else {}
        for way in ways_of(rule.steps if rule else [], list(methods)):
            due_at = at + dt.timedelta(minutes=way.after_minutes)
            until = quiet_until(quiet_hours, person.user.time_zone, due_at) or due_at
            found[number].append(Reach(methods[way.method].kind, (until - at).total_seconds() / 60))
    return found


def deliveries_of(pages: Sequence[Page]) -> Mapping[int, Sequence[Mapping[str, Any]]]:
    """Return what became of each page, by its id; a person's address is nobody else's to see, not even masked."""
    found: dict[int, list[Mapping[str, Any]]] = {page.pk: [] for page in pages}
    rows = Delivery.objects.filter(page_id__in=found, kind="page").select_related("user")
    for row in rows.order_by("due_at", "id"):
        found[row.page_id or 0].append(_serialize(row))
    return found


def _serialize(row: Delivery) -> dict[str, Any]:
    stamps = ("due_at", "next_attempt_at", "handed_over_at", "accepted_at", "delivered_at", "answered_at")
    return {
        "id": row.pk,
        "channel": row.channel,
        "recipient": row.recipient if row.user is None else row.user.name,
        "state": row.state,
        "reason": row.reason,
        "held_because": row.held_because,
        "attempts": row.attempt_count,
        "bundle": row.bundle_id,
        **{name: text_of(stamp) if (stamp := getattr(row, name)) else None for name in stamps},
    }


def stuck(now: dt.datetime) -> Iterable[str]:
    """Say which channels have deliveries that are long overdue."""
    overdue = Delivery.objects.filter(next_attempt_at__lt=now - dt.timedelta(minutes=STUCK_MINUTES))
    counts: dict[str, int] = {}
    for channel in overdue.order_by("next_attempt_at").values_list("channel", flat=True)[:1000]:
        counts[channel] = counts.get(channel, 0) + 1
    for channel, count in sorted(counts.items()):
        late = {"channel": channel, "minutes": STUCK_MINUTES}
        yield ONE_LATE.say(**late) if count == 1 else MANY_LATE.say(count=f"{count:,}", **late)

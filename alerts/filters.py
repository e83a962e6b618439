"""Lists of alerts, changes and silences, and their filters."""

from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Q
from django.utils import timezone

from alerts.models import Alert, AlertLabel, ChangeEvent, Silence, pair_number
from alerts.routing import alert_key
from alerts.vocabulary import AlertStatus
from core.api.listing import Filter, ListQuery, exact, flag, number_of, row_id, time, words
from core.api.paging import Key, containing
from core.api.problems import moment_of, refuse
from core.severity import SEVERITY_OF_WORD
from incidents.models import Incident
from incidents.search.tokens import MAX_QUERY_WORDS
from incidents.views.lookup import NUMBER
from intake.models import Source

LABEL = "label."
# Rarer labels are looked up; others are met soon by walking.
RARE = 1000
MAX_SOURCES = 1000
AFTER, BEFORE = "ISO 8601, inclusive.", "ISO 8601, exclusive."
LOOKED_AT = (
    "Looks through a bounded number of alerts for each page: a page may be short, or empty, while `next` goes on."
)


def _by_words(alerts: Any, name: str, value: str, user: Any) -> Q:
    wanted = value.split()[:MAX_QUERY_WORDS]
    return reduce(and_, (containing("title", word) | containing("description", word) for word in wanted), Q())


def _by_team(alerts: Any, name: str, value: str, user: Any) -> Any:
    if value == "none":
        return Q(incident__isnull=True) | Q(incident__team__isnull=True)
    team = number_of(name, value)
    ids = list(Incident.objects.order_by().filter(team_id=team).values_list("pk", flat=True)[:RARE])
    return alerts.filter(incident__in=ids) if len(ids) < RARE else Q(incident__team=team)


def _by_label(alerts: Any, name: str, value: str, user: Any) -> Any:
    label = name.removeprefix(LABEL)
    if not label:
        refuse(name, "Name the label, as in label.host=db-3.", "unknown_filter")
    carrying = AlertLabel.objects.filter(pair=pair_number(label, value)).order_by()
    ids = list(carrying.values_list("alert_id", flat=True)[:RARE])
    return alerts.filter(pk__in=ids) if len(ids) < RARE else alerts.labelled(label, value)


def _by_incident(alerts: Any, name: str, value: str, user: Any) -> Any:
    if value == "none":
        return alerts.filter(incident__isnull=True)
    match = NUMBER.match(value)
    if match is None:
        refuse(name, f"{value} is neither an incident's number nor its reference, nor none.")
    return alerts.filter(incident_id=int(match.group(1)))


def _by_fingerprint(alerts: Any, name: str, value: str, user: Any) -> Any:
    sources = Source.objects.order_by().values_list("pk", flat=True)[:MAX_SOURCES]
    return alerts.filter(key__in=[alert_key(pk, value) for pk in sources])


def _created_after(alerts: Any, name: str, value: Any, user: Any) -> Any:
    return alerts.filter(first_seen_at__gte=value, last_seen_at__gte=value)  # the second has an index


def _by_ended(silences: Any, is_ended: bool) -> Any:
    now = timezone.now()
    return silences.filter(ends_at__lte=now) if is_ended else silences.filter(ends_at__gt=now)


# The newest alert has the highest id.
ALERT_ORDERINGS = {"id": [Key("id")], "last_seen_at": [Key("last_seen_at")]}

ALERTS = ListQuery(
    "alerts",
    Alert,
    orderings=ALERT_ORDERINGS,
    default_ordering="-id",
    related=("source",),
    filters={
        "status": words("status", {word: word for word in AlertStatus.values}, "Comma-separated: firing, resolved."),
        "severity": words("severity", SEVERITY_OF_WORD, "Comma-separated: critical, high, medium, low."),
        "source": row_id("source_id"),
        "incident": Filter(_by_incident, "Number or reference, or `none`."),
        "fingerprint": Filter(_by_fingerprint, "Exact.", is_lasting=False),
        "is_flapping": flag(lambda alerts, value: alerts.filter(is_flapping=value)),
        "is_silenced": flag(lambda alerts, value: alerts.filter(silenced_by__isnull=not value)),
        "created_after": Filter(_created_after, f"First seen: {AFTER}", parse=moment_of),
        "created_before": time("first_seen_at__lt", f"First seen: {BEFORE}"),
        "seen_after": time("last_seen_at__gte", f"Last seen: {AFTER}"),
        "seen_before": time("last_seen_at__lt", f"Last seen: {BEFORE}"),
        "label.{name}": Filter(
            _by_label,
            "Exact value of the label of that name, as in `label.host=db-3`; several must all hold.",
            is_lasting=False,
        ),
        "q": Filter(
            _by_words,
            f"Words that are all in title or description, whatever their case; the first {MAX_QUERY_WORDS} count. "
            f"{LOOKED_AT}",
            is_checked=True,
        ),
        "team": Filter(
            _by_team,
            f"Id of its incident's team, or `none`. For `none`, and a team with {RARE:,} incidents or more: "
            f"{LOOKED_AT.lower()}",
            is_lasting=False,
            is_checked=True,
        ),
    },
)
CHANGES = ListQuery(
    "changes",
    ChangeEvent,
    orderings={"occurred_at": [Key("occurred_at")]},
    default_ordering="-occurred_at",
    related=("service",),
    filters={
        "service": exact("service__slug", "Slug."),
        "since": time("occurred_at__gte", AFTER),
        "until": time("occurred_at__lt", BEFORE),
    },
)
SILENCES = ListQuery(
    "silences",
    Silence,
    orderings={"id": [Key("id")], "ends_at": [Key("ends_at")]},
    default_ordering="-id",
    filters={"is_ended": flag(_by_ended, is_lasting=False)},
)

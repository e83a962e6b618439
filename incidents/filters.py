"""The filters of the incident list; summary, export and metrics take the same."""

import datetime as dt
import re
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from core.api.listing import Filter, ListQuery, exact, flag, number_of, time, words
from core.api.paging import Key
from core.api.problems import refuse
from core.severity import PRIORITY_OF_WORD, SEVERITY_OF_WORD
from incidents import search
from incidents.models import Incident, IncidentQuerySet, Status
from incidents.vocabulary import STATUS_OF_WORD
from responders.models import Membership

MAX_MINUTES = 366 * 24 * 60
AGE = re.compile(r"([0-9]{1,4})([hd])")


def _by_reference(incidents: Any, name: str, value: str, user: Any) -> Any:
    value = value.strip()
    if value == "none" and name != "reporter":
        return incidents.filter(**{f"{name}__isnull": True})
    if value == "me" and name != "team":
        return incidents.filter(**{name: user})
    if value == "mine" and name == "team":
        return incidents.filter(team__in=_teams_of(user))
    return incidents.filter(**{f"{name}_id": number_of(name, value)})


def _teams_of(user: Any) -> Any:
    # a query kept for a responder is theirs as long as they are in the same teams; an administrator's outlives that
    if user.is_responder:
        return Membership.objects.team_ids_of(user)
    return Membership.objects.filter(user=user).values("team")


def _by_service(incidents: Any, name: str, value: str, user: Any) -> Any:
    through = Incident.services.through.objects
    return incidents.filter(Exists(through.filter(incident=OuterRef("pk"), service__slug__exactly=value.strip())))


def _by_having_services(incidents: Any, value: bool) -> Any:
    affected = Exists(Incident.services.through.objects.filter(incident=OuterRef("pk")))
    return incidents.filter(affected if value else ~affected)


def _by_text(incidents: Any, name: str, value: str, user: Any) -> Any:
    return search.filter_matching(incidents, value, reads_internal=user.is_admin or user.is_responder)


def _by_age(incidents: Any, name: str, value: str, user: Any) -> Any:
    match = AGE.fullmatch(value.strip())
    if match is None:
        refuse(name, _("%(value)s is not a number of hours or days, such as 24h or 7d.") % {"value": value})
    unit = {"h": "hours", "d": "days"}[match[2]]
    return incidents.filter(created_at__gte=timezone.now() - dt.timedelta(**{unit: int(match[1])}))


def _by_breach(incidents: Any, name: str, value: str, user: Any) -> Any:
    now = timezone.now()
    conditions = {"ack": ack_breached(now), "resolve": resolve_breached(now)}
    conditions["any"] = conditions["ack"] | conditions["resolve"]
    if value not in conditions:
        refuse(name, _("%(value)s is not one of %(known)s.") % {"value": value, "known": ", ".join(conditions)})
    return incidents.filter(conditions[value])


def _by_due(incidents: Any, name: str, value: str, user: Any) -> Any:
    minutes = min(number_of(name, value), MAX_MINUTES)
    return incidents.filter(next_breach_at__lte=timezone.now() + dt.timedelta(minutes=minutes))


def ack_breached(now: dt.datetime) -> Q:
    """Return the condition for a missed acknowledgement target, marked or not."""
    return Q(ack_breached=True) | Q(status=Status.OPEN, ack_due_at__lt=now)


def resolve_breached(now: dt.datetime) -> Q:
    """Return the condition for a missed resolution target, marked or not."""
    running = Q(status__in=[Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS])
    return Q(resolve_breached=True) | (running & Q(resolve_due_at__lt=now))


INCIDENTS = ListQuery(
    "incidents",
    Incident,
    orderings={
        "created_at": [Key("created_at")],
        "updated_at": [Key("updated_at")],
        "severity": [Key("severity"), Key("created_at")],
        "priority": [Key("priority"), Key("created_at")],
        "resolve_due_at": [Key("resolve_due_at", is_nullable=True)],
    },
    default_ordering="-created_at",
    skips_empty=True,
    filters={
        "status": words("status", STATUS_OF_WORD, "Comma-separated statuses."),
        "is_open": flag(
            lambda incidents, value: incidents.filter(is_open=value),
            help="`true` (neither resolved nor closed) or `false`.",
        ),
        "severity": words("severity", SEVERITY_OF_WORD, "Comma-separated: critical, high, medium, low."),
        "priority": words("priority", PRIORITY_OF_WORD, "Comma-separated priorities."),
        "category": exact("category__slug", "Category slug."),
        "has_category": flag(
            lambda incidents, value: incidents.filter(category__isnull=not value), help="`true` or `false`."
        ),
        "team": Filter(_by_reference, "Id, `mine` (those you are in) or `none` (unassigned)."),
        "assignee": Filter(_by_reference, "Id, `me` or `none`."),
        "reporter": Filter(_by_reference, "Id or `me`."),
        "service": Filter(_by_service, "Slug of an affected service."),
        "has_service": flag(_by_having_services, help="`true` or `false`."),
        "location": exact("location", "Exact location."),
        "source": exact("origin_system", "Origin, such as api or import."),
        "q": Filter(_by_text, "Words in reference, title, description or comments."),
        "created_after": time("created_at__gte", "ISO 8601, inclusive."),
        "created_before": time("created_at__lt", "ISO 8601, exclusive."),
        "created_within": Filter(_by_age, "Hours or days, such as 24h or 7d.", is_lasting=False),
        "acknowledged": flag(
            lambda incidents, value: incidents.filter(ack_seconds__isnull=not value), help="`true` or `false`."
        ),
        "reopened": flag(
            lambda incidents, value: incidents.filter(**{"reopen_count__gt" if value else "reopen_count": 0}),
            help="`true` (at least once) or `false`.",
        ),
        "due_within": Filter(_by_due, "Minutes until the next target is missed, at most.", is_lasting=False),
        "breached": Filter(_by_breach, "Missed targets: ack, resolve or any.", is_lasting=False),
    },
)


def filter_incidents(
    incidents: IncidentQuerySet, request: Request, *, also: frozenset[str] = frozenset()
) -> IncidentQuerySet:
    """Return the incidents the query parameters ask for; `also` names further parameters of the route."""
    with INCIDENTS.refusing(request, also=also):
        found: IncidentQuerySet = INCIDENTS.select(incidents, request).rows
    return found

"""The filters of alerts, changes, silences and of what senders handed in."""

from collections.abc import Callable
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from alerts.models import AlertLabel, AlertQuerySet, pair_number
from alerts.routing import alert_key
from alerts.vocabulary import AlertStatus
from core.api.paging import KeysetPagination, containing
from core.api.problems import moment_of, refuse, refuse_unknown_parameters
from core.severity import SEVERITY_OF_WORD
from incidents.models import Incident
from incidents.search.tokens import MAX_QUERY_WORDS
from incidents.views.lookup import NUMBER
from intake.models import Source
from intake.vocabulary import IntakeState

LABEL = "label."
# Alerts with a label that has fewer than these are looked up by it; others are met soon by walking the list.
RARE = 1000
MAX_SOURCES = 1000

Filter = Callable[[Any, str, str], Any]


# --- Alerts -----------------------------------------------------------------------------------------------------------


def filtered_alerts(alerts: AlertQuerySet, request: Request) -> tuple[AlertQuerySet, Q | None]:
    """The alerts that the query parameters ask for, and what each of them must be looked at for, because no index
    answers it; 400 for parameters nobody reads and values nobody understands."""
    labels = [name for name in request.query_params if name.startswith(LABEL)]
    refuse_unknown_parameters(
        request, {*ALERT_FILTERS, *KeysetPagination.parameters, *labels, "q", "team"}, repeatable={*labels}
    )
    found: AlertQuerySet = _applied(alerts, request, ALERT_FILTERS)
    for name in labels:
        for value in request.query_params.getlist(name):
            found = _labelled(found, name, value)
    checked = _containing_all(request.query_params.get("q", ""))
    if "team" in request.query_params:
        of_team = _of_team(request.query_params["team"])
        if isinstance(of_team, Q):
            checked &= of_team
        else:
            found = found.filter(incident__in=of_team)
    return found, checked if checked else None


def _containing_all(text: str) -> Q:
    words = text.split()[:MAX_QUERY_WORDS]
    return reduce(and_, (containing("title", word) | containing("description", word) for word in words), Q())


def _of_team(value: str) -> Q | list[int]:
    """The incidents of a team with few of them; else what an alert of it, or of none, must be looked at for."""
    if value == "none":
        return Q(incident__isnull=True) | Q(incident__team__isnull=True)
    theirs = _row("team_id")(Incident.objects.order_by(), "team", value)
    ids = list(theirs.values_list("pk", flat=True)[:RARE])
    return ids if len(ids) < RARE else Q(incident__team=int(value))


def _labelled(alerts: AlertQuerySet, parameter: str, value: str) -> AlertQuerySet:
    """Those that carry the label: a few by their ids, many by a look at each."""
    name = parameter.removeprefix(LABEL)
    if not name:
        refuse(parameter, "Name the label, as in label.host=db-3.", "unknown_filter")
    carrying = AlertLabel.objects.filter(pair=pair_number(name, value)).order_by()
    ids = list(carrying.values_list("alert_id", flat=True)[:RARE])
    return alerts.filter(pk__in=ids) if len(ids) < RARE else alerts.labelled(name, value)


def _by_incident(alerts: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
    if value == "none":
        return alerts.filter(incident__isnull=True)
    match = NUMBER.match(value)
    if match is None:
        refuse(name, f"{value} is neither an incident's number nor its reference, nor none.")
    return alerts.filter(incident_id=int(match.group(1)))


def _by_fingerprint(alerts: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
    """By the key, which is made of source and fingerprint and has the index."""
    sources = Source.objects.order_by().values_list("pk", flat=True)[:MAX_SOURCES]
    return alerts.filter(key__in=[alert_key(pk, value) for pk in sources])


def _created_after(alerts: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
    moment = moment_of(name, value)
    return alerts.filter(first_seen_at__gte=moment, last_seen_at__gte=moment)  # the second is what has an index


def _by_silenced(alerts: AlertQuerySet, name: str, value: str) -> AlertQuerySet:
    return alerts.filter(silenced_by__isnull=not _truth(name, value))


# --- What several lists share -----------------------------------------------------------------------------------------


def _words(column: str, known: dict[str, Any]) -> Filter:
    def by_words(rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        words = [word.strip().lower() for word in value.split(",") if word.strip()]
        unknown = [word for word in words if word not in known]
        if unknown or not words:
            refuse(name, f"{', '.join(unknown) or value} is not one of {', '.join(known)}.")
        codes = [known[word] for word in words]
        return rows.filter(**({column: codes[0]} if len(codes) == 1 else {f"{column}__in": codes}))

    return by_words


def _row(column: str) -> Filter:
    def by_row(rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            refuse(name, f"{value} is not an id.")
        return rows.filter(**{column: int(value)})

    return by_row


def _flag(column: str) -> Filter:
    def by_flag(rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(**{column: _truth(name, value)})

    return by_flag


def _time(lookup: str) -> Filter:
    return lambda rows, name, value: rows.filter(**{lookup: moment_of(name, value)})


def _by_service(changes: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
    return changes.filter(service__slug__exactly=value)


def _by_ended(silences: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
    now = timezone.now()
    return silences.filter(ends_at__lte=now) if _truth(name, value) else silences.filter(ends_at__gt=now)


def _truth(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        refuse(name, "Say true or false.")
    return value.lower() == "true"


def _applied(rows: Any, request: Request, filters: dict[str, tuple[Filter, str]]) -> Any:
    for name, (narrow, _help) in filters.items():
        if name in request.query_params:
            rows = narrow(rows, name, request.query_params[name])
    return rows


def filtered(rows: Any, request: Request, filters: dict[str, tuple[Filter, str]]) -> Any:
    """The rows that the query parameters ask for, by one of the tables below."""
    refuse_unknown_parameters(request, {*filters, *KeysetPagination.parameters})
    return _applied(rows, request, filters)


def parameters_of(filters: dict[str, tuple[Filter, str]]) -> list[OpenApiParameter]:
    """The filters as the API's description names them."""
    return [OpenApiParameter(name, OpenApiTypes.STR, description=text) for name, (_filter, text) in filters.items()]


AFTER, BEFORE = "A time (ISO 8601), itself included.", "A time (ISO 8601), itself not included."

ALERT_FILTERS: dict[str, tuple[Filter, str]] = {
    "status": (_words("status", {word: word for word in AlertStatus.values}), "Comma list: firing, resolved."),
    "severity": (_words("severity", SEVERITY_OF_WORD), "Comma list: critical, high, medium, low."),
    "source": (_row("source_id"), "Id."),
    "incident": (_by_incident, "Number or reference, or `none`."),
    "fingerprint": (_by_fingerprint, "Exact."),
    "is_flapping": (_flag("is_flapping"), "`true` or `false`."),
    "is_silenced": (_by_silenced, "`true` or `false`."),
    "created_after": (_created_after, f"First seen: {AFTER}"),
    "created_before": (_time("first_seen_at__lt"), f"First seen: {BEFORE}"),
    "seen_after": (_time("last_seen_at__gte"), f"Last seen: {AFTER}"),
    "seen_before": (_time("last_seen_at__lt"), f"Last seen: {BEFORE}"),
}
LABEL_PARAMETER = OpenApiParameter(
    "label.{name}",
    OpenApiTypes.STR,
    description="Exact value of the label of that name, as in `label.host=db-3`; several must all hold.",
)
LOOKED_AT = (
    "Looks through a bounded number of alerts for each page: a page may be short, or empty, while `next` goes on."
)
CHECKED_PARAMETERS = [
    OpenApiParameter(
        "q",
        OpenApiTypes.STR,
        description=f"Words that are all in title or description, whatever their case; the first {MAX_QUERY_WORDS} "
        f"count. {LOOKED_AT}",
    ),
    OpenApiParameter(
        "team",
        OpenApiTypes.STR,
        description=f"Id of its incident's team, or `none`. For `none`, and a team with {RARE:,} incidents or more: "
        f"{LOOKED_AT.lower()}",
    ),
]
CHANGE_FILTERS: dict[str, tuple[Filter, str]] = {
    "service": (_by_service, "Slug."),
    "since": (_time("occurred_at__gte"), AFTER),
    "until": (_time("occurred_at__lt"), BEFORE),
}
INTAKE_FILTERS: dict[str, tuple[Filter, str]] = {
    "state": (_words("state", {word: word for word in IntakeState.values}), f"Comma list: {', '.join(IntakeState)}."),
    "source": (_row("source_id"), "Id."),
    "since": (_time("received_at__gte"), AFTER),
    "until": (_time("received_at__lt"), BEFORE),
}
SILENCE_FILTERS: dict[str, tuple[Filter, str]] = {"is_ended": (_by_ended, "`true` or `false`.")}

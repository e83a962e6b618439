"""Log lines: search, how many there were when, following them, and one of them."""

import datetime as dt
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from console import charts
from console.charts.values import Column, Series
from console.lists import PAGING, links_of, to_list, without_empty
from console.pages import RESPONDERS, page, query, show
from core.api.problems import refuse, typed_moment_of
from core.errors import DomainError, NotFound
from core.text.moments import shown
from logs.filters import LINES
from logs.models import LogEntry
from logs.serializers import COLUMNS
from logs.services.density import TIMES, Bucket, density
from logs.services.following import lines_after, newest_id
from logs.vocabulary import LEVEL_WORDS, Level

USUAL = dt.timedelta(hours=24)
LONGEST = dt.timedelta(days=366)
AROUND = dt.timedelta(minutes=2)
SHOWN_LENGTH = 1000
RANGES = (
    (dt.timedelta(minutes=15), gettext_lazy("15 min")),
    (dt.timedelta(hours=1), gettext_lazy("1 h")),
    (dt.timedelta(hours=6), gettext_lazy("6 h")),
    (USUAL, gettext_lazy("24 h")),
    (dt.timedelta(days=7), gettext_lazy("7 days")),
)
MAX_ID = 2**63 - 1
YEARS = range(3, 9998)  # whose moments exist in every zone, and those a year around them


@page(roles=RESPONDERS)
def logs(request: HttpRequest) -> HttpResponse:
    if (elsewhere := without_empty(request) or _with_zones(request)) is not None:
        return elsewhere
    newest = newest_id()
    pages = LINES.page(query(request), LogEntry.objects.all, asker=None)
    now = timezone.now()
    context = {
        "lines": [present(row) for row in pages.rows],
        "pages": links_of(pages),
        "levels": LEVEL_WORDS,
        "ranges": [(now - length, label) for length, label in RANGES],
        "times": {name: _local(request.GET.get(name, ""), name) for name in TIMES},
        "filters": urlencode(_filters(request)),
        "is_narrowed": bool(set(request.GET) - PAGING),
        "newest": newest,
    }
    return show(request, "console/logs/list.html", context)


@page(roles=RESPONDERS)
def density_strip(request: HttpRequest) -> HttpResponse:
    """Show how many lines there were when, each bar leading to its time."""
    asked, now = _filters(request), timezone.now()
    with LINES.refusing(query(request)):
        until = _moment("until", asked) or now
        since = _moment("since", asked) or until - USUAL
        if not dt.timedelta(0) < until - since <= LONGEST:
            raise DomainError(_("Choose a time that begins before it ends, of a year at most."))
        buckets = density({name: value for name, value in asked.items() if name not in TIMES}, since, until)
    others = [pair for pair in asked.items() if pair[0] not in TIMES]
    chart = charts.stacked(
        "lines", _("Lines over time"), _series(), [_column(one, others) for one in buckets], unit=_("lines")
    )
    context = {"chart": chart, "is_exact": all(bucket.is_exact for bucket in buckets)}
    return show(request, "console/logs/_strip.html", context)


@page(roles=RESPONDERS)
def follow(request: HttpRequest) -> HttpResponse:
    """Return lines that came after one, for the page to put on top."""
    asked = _filters(request)
    text = request.GET.get("after", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise DomainError(_("Name the line after which to go on."))
    asked.pop("after", None)
    with LINES.refusing(query(request), also={"after"}):
        found = lines_after(int(text), asked)
    context = {"lines": [present(row) for row in reversed(found.lines)], "following": found}
    return show(request, "console/logs/_following.html", context)


@page(roles=RESPONDERS)
def line(request: HttpRequest, pk: int) -> HttpResponse:
    row = LogEntry.objects.filter(pk=pk).values(*COLUMNS, "source__name").order_by().first() if pk <= MAX_ID else None
    if row is None:
        raise NotFound(_("Log line %(id)s does not exist; it may have expired.") % {"id": pk})
    at = row["timestamp"]
    around = {"since": _iso(at - AROUND), "until": _iso(at + AROUND)}
    context = {
        "line": present(row, cut=False),
        "attributes": [(name, _written(value)) for name, value in row["attributes"].items()],
        "around": urlencode({**around, **({"service": row["service"]} if row["service"] else {})}),
        "everything": urlencode(around),
    }
    return show(request, "console/logs/line.html", context)


def _series() -> list[Series]:
    return [Series("errors", _("Errors and worse"), "critical"), Series("others", _("Other lines"), "six")]


def _column(bucket: Bucket, others: list[tuple[str, str]]) -> Column:
    since, until = timezone.localtime(bucket.since), timezone.localtime(bucket.until)
    label = _("%(since)s to %(until)s") % {"since": shown(since, "precise"), "until": shown(until, "precise")}
    times = [("since", _iso(bucket.since)), ("until", _iso(bucket.until))]
    values = {"errors": bucket.errors, "others": bucket.count - bucket.errors}
    address = f"{reverse('console:logs')}?{urlencode([*others, *times])}"
    return Column(label, f"{since:%H:%M}", values, address)


def present(row: dict[str, Any], *, cut: bool = True) -> dict[str, Any]:
    """Return a line as pages show it."""
    message = row["message"]
    level = Level(row["level"])
    return {**row, "message": message[:SHOWN_LENGTH] if cut else message, "level": level.word, "label": level.label}


def _filters(request: HttpRequest) -> dict[str, str]:
    return {name: value for name, value in request.GET.items() if name not in PAGING and value}


def _moment(name: str, asked: dict[str, str]) -> dt.datetime | None:
    if name not in asked:
        return None
    moment = _typed(name, asked[name])
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _typed(name: str, text: str) -> dt.datetime:
    moment = typed_moment_of(name, text)
    if moment.year not in YEARS:
        refuse(name, _("%(name)s must be a time such as 2026-11-21T09:30:00Z.") % {"name": name})
    return moment


def _with_zones(request: HttpRequest) -> HttpResponse | None:
    """Turn times as a browser's inputs give them, in the person's zone, into the API's."""
    found = {name: request.GET[name] for name in TIMES if name in request.GET}
    changed = {}
    for name, text in found.items():
        moment = _typed(name, text)
        if moment.tzinfo is None:
            changed[name] = _iso(timezone.make_aware(moment))
    if not changed:
        return None
    kept = [(name, value) for name, values in request.GET.lists() for value in values if name not in changed]
    return to_list(request, [*((name, value) for name, value in kept if name not in PAGING), *changed.items()])


def _local(text: str, name: str) -> str:
    if not text:
        return ""
    moment = _typed(name, text)
    return f"{timezone.localtime(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)):%Y-%m-%dT%H:%M}"


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _written(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


urlpatterns = [
    path("logs/", logs, name="logs"),
    path("logs/density/", density_strip, name="logs-density"),
    path("logs/follow/", follow, name="logs-follow"),
    path("logs/<int:pk>/", line, name="log-line"),
]

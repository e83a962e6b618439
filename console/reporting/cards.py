"""The cards of the dashboard: which there are, what each shows, and the lists behind its numbers."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from console import charts
from console.charts import Cell, Chart, Column, Item, Point, Series, number
from console.reporting.periods import Stretch
from console.reporting.remembering import remembered
from console.reporting.scope import Scope
from console.reporting.words import short_duration
from core.severity import Severity
from incidents.figures import Bucket, Figures, Times, figures_of
from incidents.models import Category, Incident
from paging.services.load import Load, people_paged
from responders.models import Service

MOST_BARS, MOST_ROWS = 10, 10_000


@dataclass(frozen=True)
class Fact:
    """A number above a chart."""

    label: str
    text: str
    url: str = ""


@dataclass(frozen=True)
class Card:
    """A chart with what is said around it; `more` leads to all of what it shows a part of."""

    name: str
    title: Any
    chart: Chart
    facts: Sequence[Fact] = ()
    note: str = ""
    more: tuple[str, str] | None = None
    is_wide: bool = False


@dataclass(frozen=True)
class Sources:
    """What cards draw from; each is computed only if a card needs it, and kept for seconds."""

    scope: Scope
    most: int = MOST_BARS

    @cached_property
    def figures(self) -> Figures:
        scope = self.scope
        found: Figures = remembered(("figures", *scope.key), lambda: figures_of(scope.parts, scope.period.edges))
        return found

    @cached_property
    def loads(self) -> list[Load]:
        scope = self.scope
        visible = scope.narrowed(Incident.objects.visible_to(scope.viewer))
        ends = scope.period.start, scope.period.end
        found: list[Load] = remembered(("loads", *scope.key), lambda: people_paged(visible, *ends))
        return found

    @property
    def stretches(self) -> Iterator[tuple[Stretch, Bucket]]:
        return zip(self.scope.period.stretches, self.figures.buckets, strict=True)


def _incidents(sources: Sources) -> Card:
    scope, whole = sources.scope, sources.figures.whole
    series = [Series(one.word, str(one.label), one.word) for one in sorted(Severity, reverse=True)]
    columns = [
        Column(
            stretch.label,
            stretch.short,
            {severity.word: bucket.severities[severity] for severity in Severity},
            scope.incidents_url(stretch.start, stretch.end),
            {one.word: scope.incidents_url(stretch.start, stretch.end, severity=one.word) for one in Severity},
        )
        for stretch, bucket in sources.stretches
    ]
    title = _title(scope, _("Incidents by day"), _("Incidents by week"), _("Incidents by month"))
    chart = charts.stacked("incidents", title, series, columns, unit=_("Incidents"), empty=scope.empty)
    facts = [Fact(_("Opened"), number(whole.total), scope.incidents_url())]
    return Card("incidents", title, chart, facts, is_wide=True)


def _acknowledge(sources: Sources) -> Card:
    return _times_card(
        sources, "acknowledge", _("Time to acknowledge"), lambda bucket: bucket.ack, {"acknowledged": "true"},
        {"acknowledged": "false"}, _("The mean leaves out %(count)s not acknowledged yet."),
    )  # fmt: skip


def _resolve(sources: Sources) -> Card:
    return _times_card(
        sources, "resolve", _("Time to resolve"), lambda bucket: bucket.resolve, {"is_open": "false"},
        {"is_open": "true"}, _("The mean leaves out %(count)s that are still active."),
    )  # fmt: skip


def _times_card(
    sources: Sources,
    name: str,
    title: str,
    times_of: Callable[[Bucket], Times],
    counted: Mapping[str, str],
    pending: Mapping[str, str],
    note: str,
) -> Card:
    scope, whole = sources.scope, times_of(sources.figures.whole)
    points = [_point(scope, stretch, times_of(bucket), counted, pending) for stretch, bucket in sources.stretches]
    counted_url, pending_url = scope.incidents_url(**counted), scope.incidents_url(**pending)
    facts = [
        Fact(_("Mean"), short_duration(whole.mean), counted_url if whole.count else ""),
        Fact(_("Median"), short_duration(whole.p50), counted_url if whole.count else ""),
        Fact(_("p90"), short_duration(whole.p90), counted_url if whole.count else ""),
        Fact(_("Counted"), number(whole.count), counted_url if whole.count else ""),
        Fact(_("Pending"), number(whole.pending), pending_url if whole.pending else ""),
    ]
    said = note % {"count": number(whole.pending)} if whole.pending else ""
    return Card(name, title, charts.trend(name, title, points, show=short_duration, empty=scope.empty), facts, said)


def _point(
    scope: Scope, stretch: Stretch, times: Times, counted: Mapping[str, str], pending: Mapping[str, str]
) -> Point:
    return Point(
        stretch.label,
        stretch.short,
        times.mean,
        times.p50,
        times.p90,
        times.count,
        times.pending,
        scope.incidents_url(stretch.start, stretch.end, **counted),
        scope.incidents_url(stretch.start, stretch.end, **pending),
    )


def _severity(sources: Sources) -> Card:
    scope, counts = sources.scope, sources.figures.whole.severities
    items = [
        Item(str(one.label), counts[one], scope.incidents_url(severity=one.word), one.word)
        for one in sorted(Severity, reverse=True)
    ]
    title = _("Severity")
    header = (_("Severity"), _("Incidents"))
    return Card("severity", title, charts.shares("severity", title, items, header=header, empty=scope.empty))


def _team(sources: Sources) -> Card:
    counts = sources.figures.teams
    names = sources.scope.team_names
    items = [
        (names.get(str(key), "") if key else _("No team"), count, {"team": str(key) if key else "none"})
        for key, count in counts.most_common(sources.most)
    ]
    return _shares_card(sources, "team", _("Team"), items, counts.total(), len(counts))


def _category(sources: Sources) -> Card:
    counts = sources.figures.categories
    known = {
        pk: (name, slug)
        for pk, name, slug in Category.objects.filter(pk__in=_top(sources, counts)).values_list("pk", "name", "slug")
    }
    items = [
        (known[key][0], count, {"category": known[key][1]})
        if key in known
        else (_("No category"), count, {"has_category": "false"})
        for key, count in counts.most_common(sources.most)
    ]
    return _shares_card(sources, "category", _("Category"), items, counts.total(), len(counts))


def _service(sources: Sources) -> Card:
    counts = sources.figures.services
    known = {
        pk: (name, slug)
        for pk, name, slug in Service.objects.filter(pk__in=_top(sources, counts)).values_list("pk", "name", "slug")
    }
    items = [
        (known[key][0], count, {"service": known[key][1]})
        for key, count in counts.most_common(sources.most)
        if key in known
    ]
    total = sources.figures.whole.total
    return _shares_card(sources, "service", _("Busiest services"), items, total, len(counts), label=_("Service"))


def _top(sources: Sources, counts: Counter[Any]) -> list[Any]:
    return [key for key, _count in counts.most_common(sources.most) if key is not None]


def _shares_card(
    sources: Sources,
    name: str,
    title: str,
    found: Sequence[tuple[str, int, Mapping[str, str]]],
    total: int,
    groups: int,
    label: str = "",
) -> Card:
    scope = sources.scope
    items = [Item(text, count, scope.incidents_url(**filters)) for text, count, filters in found]
    header = (label or title, _("Incidents"))
    chart = charts.shares(name, title, items, header=header, total=total, empty=scope.empty)
    more = None
    if groups > sources.most:
        text = _("All %(count)s in the SLA report") % {"count": number(groups)}
        more = text, f"{reverse('console:sla-report')}?{urlencode({**scope.query, 'group_by': name})}"
    return Card(name, title, chart, more=more)


def _reopened(sources: Sources) -> Card:
    scope, whole = sources.scope, sources.figures.whole
    series = [Series("reopened", _("Reopened"), "two")]
    columns = [
        Column(
            stretch.label,
            stretch.short,
            {"reopened": bucket.reopened},
            scope.incidents_url(stretch.start, stretch.end, reopened="true"),
        )
        for stretch, bucket in sources.stretches
    ]
    title = _("Reopened incidents")
    chart = charts.stacked("reopened", title, series, columns, unit=title, empty=scope.empty)
    url = scope.incidents_url(reopened="true") if whole.reopened else ""
    return Card("reopened", title, chart, [Fact(_("Reopened at least once"), number(whole.reopened), url)])


def _load(sources: Sources) -> Card:
    scope = sources.scope
    items = [
        Item(
            load.name,
            load.pages,
            _pages_url(scope, load),
            more=(
                _pages_cell(scope, load, load.night_pages, "night"),
                _pages_cell(scope, load, len(load.nights), "night"),
                _pages_cell(scope, load, load.repeats, "repeat"),
            ),
        )
        for load in sources.loads[: sources.most]
    ]
    title = _("Pages and nights per person")
    header = (_("Person"), _("Pages"), _("At night"), _("Nights"), _("Repeats"))
    note = _(
        "Nights are 22:00 to 06:00 by each person's own clocks. "
        "A repeat is a page for an incident they were paged for before."
    )
    more = None
    if len(sources.loads) > sources.most:
        more = _("All %(count)s people") % {"count": number(len(sources.loads))}, _pages_url(scope)
    return Card(
        "load",
        title,
        charts.bars("load", title, items, header=header, empty=scope.empty),
        note=note,
        more=more,
    )


def _pages_cell(scope: Scope, load: Load, value: int, kind: str) -> Cell:
    return Cell(number(value), value, _pages_url(scope, load, kind) if value else "")


def _pages_url(scope: Scope, load: Load | None = None, kind: str = "") -> str:
    query = {**scope.query, **({"person": str(load.user_id)} if load else {}), **({"kind": kind} if kind else {})}
    return f"{reverse('console:pages-report')}?{urlencode(query)}"


def _title(scope: Scope, by_day: str, by_week: str, by_month: str) -> str:
    return {"day": by_day, "week": by_week, "month": by_month}[scope.period.unit]


CARDS: dict[str, tuple[Promise, Callable[[Sources], Card]]] = {
    "incidents": (gettext_lazy("Incidents over time"), _incidents),
    "acknowledge": (gettext_lazy("Time to acknowledge"), _acknowledge),
    "resolve": (gettext_lazy("Time to resolve"), _resolve),
    "severity": (gettext_lazy("Severity"), _severity),
    "team": (gettext_lazy("Team"), _team),
    "category": (gettext_lazy("Category"), _category),
    "service": (gettext_lazy("Busiest services"), _service),
    "load": (gettext_lazy("Pages and nights per person"), _load),
    "reopened": (gettext_lazy("Reopened incidents"), _reopened),
}


def whole_card(name: str, scope: Scope) -> Card:
    """Return one card with all its rows."""
    return CARDS[name][1](Sources(scope, most=MOST_ROWS))


def cards_of(names: Sequence[str], scope: Scope) -> list[Card]:
    """Return cards in order; what they share is computed once."""
    sources = Sources(scope)
    return [CARDS[name][1](sources) for name in names]


def rendered_cards(names: Sequence[str], scope: Scope) -> list[SafeString]:
    """Return cards as HTML, which costs more than their figures, and is kept as long."""
    sources, language = Sources(scope), get_language()

    def render(name: str) -> SafeString:
        context = {"card": CARDS[name][1](sources), "query": urlencode(scope.query)}
        return mark_safe(render_to_string("console/dashboard/_card.html", context))  # noqa: S308 (a template escaped it)

    return [
        remembered(("card", name, language, tuple(scope.query.items()), *scope.key), partial(render, name))
        for name in names
    ]


def chosen(dashboard: Mapping[str, Any]) -> list[str]:
    """Return the cards of somebody's preferences in order; all of them unless chosen."""
    names = dashboard.get("cards")
    if not isinstance(names, list):
        return list(CARDS)
    return [name for name in names if name in CARDS]

"""Count how often suggestions were right; restricted and deleted incidents are left out."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, F, QuerySet, Sum

from assistant.models import RoutingSuggestion, week_of
from assistant.vocabulary import LearntField, RoutingOutcome
from core.severity import Severity
from incidents.models import Category
from responders.models import Team

COMPARED = (RoutingOutcome.RIGHT, RoutingOutcome.IN_THREE, RoutingOutcome.WRONG)


@dataclass(frozen=True)
class Counts:
    """Suggestions by outcome (see RoutingOutcome)."""

    by_outcome: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_outcome.values())

    @property
    def compared(self) -> int:
        """Suggestions of incidents that were resolved with a value."""
        return sum(self.by_outcome.get(one, 0) for one in COMPARED)

    @property
    def right(self) -> int:
        return self.by_outcome.get(RoutingOutcome.RIGHT, 0)

    @property
    def in_three(self) -> int:
        """Those whose first three had what it became, the right ones among them."""
        return self.right + self.by_outcome.get(RoutingOutcome.IN_THREE, 0)

    @property
    def changed(self) -> int:
        """Those that became something else."""
        return self.compared - self.right

    @property
    def silent(self) -> int:
        return self.by_outcome.get(RoutingOutcome.SILENT, 0)

    @property
    def share_right(self) -> float | None:
        return self.right / self.compared if self.compared else None

    @property
    def share_in_three(self) -> float | None:
        return self.in_three / self.compared if self.compared else None


@dataclass(frozen=True)
class Band:
    """Suggestions of about the same confidence: what was said on average, and how many were right."""

    said: float
    compared: int
    right: int

    @property
    def was_right(self) -> float:
        return self.right / self.compared


@dataclass(frozen=True)
class FieldAccuracy:
    """How often one field was told right; `spared`: how often people corrected what it was opened with to that."""

    field: str
    counts: Counts
    weeks: list[tuple[dt.date, Counts]]
    bands: list[Band]
    spared: int


@dataclass
class _Gathered:
    total: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    weeks: defaultdict[dt.date, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    bands: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(lambda: [0.0, 0, 0]))


def accuracy(since: dt.datetime, until: dt.datetime) -> list[FieldAccuracy]:
    """Return each field's figures for incidents reported in a span of time."""
    found = _between(since, until)
    gathered: defaultdict[str, _Gathered] = defaultdict(_Gathered)
    grouped = found.order_by().values_list("field", "week", "outcome", "band").annotate(Count("pk"), Sum("confidence"))
    for name, week, outcome, band, count, confidence in grouped:
        one = gathered[name]
        one.total[outcome] += count
        one.weeks[week][outcome] = one.weeks[week].get(outcome, 0) + count
        if outcome in COMPARED:
            said, compared, right = one.bands[band]
            one.bands[band] = [said + confidence, compared + count, right + (count if outcome == COMPARED[0] else 0)]
    right_only = found.filter(outcome=RoutingOutcome.RIGHT)
    corrected = right_only.exclude(opened_with=F("became")) | right_only.filter(opened_with__isnull=True)
    spared = dict(corrected.order_by().values_list("field").annotate(Count("pk")))
    weeks = _weeks(since, until)
    return [_field(name, gathered[name], weeks, spared.get(name, 0)) for name in LearntField.values]


def _field(name: str, one: _Gathered, weeks: Iterable[dt.date], spared: int) -> FieldAccuracy:
    bands = [
        Band(said / compared, int(compared), int(right)) for _, (said, compared, right) in sorted(one.bands.items())
    ]
    return FieldAccuracy(
        name, Counts(dict(one.total)), [(week, Counts(one.weeks.get(week, {}))) for week in weeks], bands, spared
    )


def _between(since: dt.datetime, until: dt.datetime) -> QuerySet[RoutingSuggestion]:
    # by week too: that is what the index begins with
    found = RoutingSuggestion.objects.counted().filter(at__gte=since, at__lt=until)
    return found.filter(week__gte=week_of(since), week__lte=week_of(until))


def _weeks(since: dt.datetime, until: dt.datetime) -> list[dt.date]:
    first, last = week_of(since), week_of(until)
    return [first + dt.timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]


@dataclass(frozen=True)
class Miss:
    """A suggestion that became something else, in words."""

    row: RoutingSuggestion
    suggested: str
    became: str


def misses(most: int = 20) -> list[Miss]:
    """Return the latest suggestions that became something else."""
    wrong = RoutingSuggestion.objects.counted().filter(outcome__in=(RoutingOutcome.IN_THREE, RoutingOutcome.WRONG))
    found = list(wrong.select_related("incident").order_by("-at", "-pk")[:most])
    names = value_names(found)
    return [Miss(one, names[one.field, one.suggested], names[one.field, one.became]) for one in found]


def value_names(found: Collection[RoutingSuggestion]) -> dict[tuple[str, int | None], str]:
    """Return what people call the suggested and final values; what was deleted is its number."""
    wanted = {(one.field, value) for one in found for value in (one.suggested, one.became)}
    ids = {
        name: {value for field_, value in wanted if field_ == name and value is not None}
        for name in ("team", "category")
    }
    teams = dict(Team.objects.filter(pk__in=ids["team"]).values_list("pk", "name"))
    categories = dict(Category.objects.filter(pk__in=ids["category"]).values_list("pk", "name"))
    severities = {one.value: str(one.label) for one in Severity}
    known: dict[str, Mapping[int, str]] = {"team": teams, "category": categories, "severity": severities}
    return {(name, value): known[name].get(value, str(value)) if value is not None else "" for name, value in wanted}

"""How often suggestions were right, for administrators."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _

from assistant.learning.learner import FEWEST
from assistant.models import ModelCall, RoutingModel, Verdict
from assistant.services.accuracy import Counts, FieldAccuracy, accuracy, misses
from assistant.vocabulary import LearntField, RoutingOutcome, SuggestionKind
from console import charts
from console.charts import Chart, Column, Empty, Series
from console.pages import ADMINS, page, show
from core.text.moments import shown

DAYS = (30, 90, 365)
DEFAULT_DAYS = 90
TONES = {
    RoutingOutcome.RIGHT: "one",
    RoutingOutcome.IN_THREE: "two",
    RoutingOutcome.WRONG: "high",
    RoutingOutcome.SILENT: "four",
    RoutingOutcome.UNKNOWN: "five",
    RoutingOutcome.WAITING: "six",
}


@page(roles=ADMINS)
def assistant(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, DAYS) else DEFAULT_DAYS
    until = timezone.now()
    since = until - dt.timedelta(days=days)
    context = {
        "days": days,
        "presets": DAYS,
        "fields": [_field(one) for one in accuracy(since, until)],
        "misses": [{"miss": one, "label": LearntField(one.row.field).label} for one in misses()],
        "training": RoutingModel.objects.defer("weights").first(),
        "trained": _trained(RoutingModel.objects.defer("weights").first()),
        "fewest": FEWEST,
        "verdicts": _verdicts(),
        "spent": _spent(since, until),
    }
    return show(request, "console/assistant/accuracy.html", context)


def _field(one: FieldAccuracy) -> dict[str, Any]:
    label = LearntField(one.field).label
    return {
        "name": one.field,
        "label": label,
        "counts": one.counts,
        "spared": one.spared,
        "bands": one.bands,
        "chart": _weekly(one, str(label)),
    }


def _weekly(one: FieldAccuracy, label: str) -> Chart:
    series = [Series(outcome, str(outcome.label), tone) for outcome, tone in TONES.items()]
    columns = [_column(week, counts) for week, counts in one.weeks]
    title = _("%(field)s: suggestions by week") % {"field": label}
    empty = Empty(_("Nothing was suggested in this time."))
    return charts.stacked(f"week-{one.field}", title, series, columns, unit=_("Suggestions"), empty=empty)


def _column(week: dt.date, counts: Counts) -> Column:
    day = shown(week, "date")
    return Column(_("Week of %(day)s") % {"day": day}, day, dict(counts.by_outcome))


def _trained(training: RoutingModel | None) -> Iterable[dict[str, Any]]:
    """Return what the newest training reached on the incidents that it did not learn from."""
    for name, told in (training.figures if training is not None else {}).items():
        held = told.get("held_out")
        yield {
            "label": LearntField(name).label,
            "told": told,
            "right": told["right"] / held if held else None,
            "in_three": told["in_three"] / held if held else None,
            "said": told["said"] / held if held else None,
            "said_right": told["said_right"] / told["said"] if held and told["said"] else None,
        }


def _verdicts() -> list[dict[str, Any]]:
    counts = Verdict.objects.counts()
    return [
        {"label": SuggestionKind(kind).label, "useful": found[True], "useless": found[False]}
        for kind, found in counts.items()
        if found[True] or found[False]
    ]


def _spent(since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """Return what calls of a language model cost in a span of time."""
    found = ModelCall.objects.filter(ended_at__gte=since, ended_at__lt=until).aggregate(
        calls=Count("pk"), read=Sum("tokens_in"), written=Sum("tokens_out"), micros=Sum("cost_micros")
    )
    return {**found, "usd": f"{(found['micros'] or 0) / 1e6:.2f}"}


urlpatterns = [path("assistant/", assistant, name="assistant")]

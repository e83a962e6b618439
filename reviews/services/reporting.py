"""Report unfinished action items: how many, whose, how old; and as a file for trackers."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Case, Count, Min, Q, QuerySet, When

from core.backoffice.spreadsheets import cell
from core.text.encodings import BYTE_ORDER_MARK
from responders.models import Team
from reviews.models import ActionItem
from reviews.vocabulary import UNFINISHED
from users.models import User

COLUMNS = ("Summary", "Description", "Assignee", "Due date", "Labels")
LABEL = "post-incident-review"
CHUNK = 500


def summary_of(items: QuerySet[ActionItem], today: dt.date) -> dict[str, Any]:
    """Return open, overdue and oldest of all unfinished items, by owner and by team, the most overdue first."""
    unfinished = items.filter(state__in=UNFINISHED).order_by()
    figures = {
        "open": Count("pk"),
        "overdue": Count(Case(When(Q(due_on__lt=today), then="pk"))),
        "oldest": Min("due_on"),
    }
    return {
        **unfinished.aggregate(**figures),
        "by_owner": _named(unfinished.values("owner").annotate(**figures), "owner", User),
        "by_team": _named(
            unfinished.values("review__incident__team").annotate(**figures), "review__incident__team", Team
        ),
    }


def _named(groups: Iterable[Any], column: str, model: Any) -> list[dict[str, Any]]:
    found = list(groups)
    names = dict(model.objects.filter(pk__in=[group[column] for group in found]).values_list("pk", "name"))
    counts = [{**group, "id": group.pop(column)} for group in found]
    for count in counts:
        count["name"] = names.get(count["id"], "")
    return sorted(counts, key=lambda count: (-count["overdue"], -count["open"], count["name"]))


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_rows(items: QuerySet[ActionItem]) -> Iterator[str]:
    """Yield CSV text in chunks, with the columns that Jira's import maps by itself."""
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow(COLUMNS)
    last = 0
    while True:
        page = items.filter(pk__gt=last).order_by("pk").select_related("owner", "review")[:CHUNK]
        found = list(page)
        if not found:
            return
        yield "".join(writer.writerow(_cells(item)) for item in found)
        last = found[-1].pk


def _cells(item: ActionItem) -> list[Any]:
    assignee = item.owner.email if item.owner is not None else ""
    due = item.due_on.isoformat() if item.due_on is not None else ""
    labels = f"{LABEL} INC-{item.review.incident_id}"
    return [cell(value) for value in (item.title, item.description, assignee, due, labels)]

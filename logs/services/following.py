"""Lines as they arrive, for people who watch."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils import timezone

from logs.filters import selection
from logs.models import LogEntry
from logs.serializers import COLUMNS
from logs.services.density import TIMES

MAX_BEHIND = 2000  # lines looked at for each answer
MAX_SHOWN = 200
OVERLAP = 500  # ids given earlier may be committed later
LATE = dt.timedelta(seconds=10)


@dataclass(frozen=True)
class Following:
    """Lines, the oldest first; where to go on; whether some were left out. Lines may come twice."""

    lines: list[dict[str, Any]]
    after: int
    is_cut: bool


def newest_id() -> int:
    """Return where watching begins."""
    return LogEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def lines_after(after: int, given: Mapping[str, str], *, now: dt.datetime | None = None) -> Following:
    """Return lines stored after one that match the list's filters. Raises ValidationError for wrong filters."""
    newest = newest_id()
    start = max(min(after, newest) - OVERLAP, newest - MAX_BEHIND)
    fresh = Q(id__gt=after) | Q(received_at__gte=(now or timezone.now()) - LATE)
    filters = {name: value for name, value in given.items() if name not in TIMES}
    selected = selection(LogEntry.objects.filter(fresh, id__gt=start, id__lte=newest), filters)
    wanted = reduce(or_, selected.branches)
    rows = selected.rows.filter(wanted & selected.checked if selected.checked else wanted)
    found = list(rows.order_by("-id").values(*COLUMNS)[: MAX_SHOWN + 1])
    is_cut = len(found) > MAX_SHOWN or after < newest - MAX_BEHIND
    return Following(found[MAX_SHOWN - 1 :: -1] if len(found) > MAX_SHOWN else found[::-1], newest, is_cut)

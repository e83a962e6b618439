"""Pages of lines, merged from the indexes that answer a selection."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.response import Response

from incident_response.api import KeysetPagination
from logs.filters import Selection
from logs.models import LogEntry

LOOKED_THROUGH = 10_000  # lines that one page may look at, where no index answers a filter


class LinePages(KeysetPagination):
    """Pages by time. Where lines must be looked at one by one, a page ends after so many, whatever it found; its link
    goes on from there.
    """

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.goes_on: dict[str, Any] | None = None  # the last line looked at, where that is why the page ended

    def fetch(self, ordered: Callable[[], QuerySet[Any]], limit: int) -> list[Any]:
        of_branches = [ordered().filter(branch) for branch in self.selection.branches]
        descends = str(ordered().query.order_by[0]).startswith("-")
        end = None
        if (checked := self.selection.checked) is not None:
            end = self._end(of_branches, descends)
            of_branches = [rows.filter(checked) for rows in of_branches]
        if end is not None:
            of_branches = [rows.filter(_up_to(end, descends)) for rows in of_branches]
        found = [row for rows in of_branches for row in rows[:limit]]
        found.sort(key=lambda row: (row["timestamp"], row["id"]), reverse=descends)
        self.goes_on = end if len(found) < limit else None
        return found[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        response = super().get_paginated_response(data)
        if self.goes_on is not None:
            is_backwards, _position = self._cursor(self.request, LogEntry)
            name, direction = ("previous", "p") if is_backwards else ("next", "n")
            response.data[name] = self._link(self.goes_on, direction)
        return response

    def _end(self, of_branches: list[QuerySet[Any]], descends: bool) -> dict[str, Any] | None:
        """The line up to which every branch can be looked through; None where they all end before that."""
        share = LOOKED_THROUGH // len(of_branches)
        ends = [row for rows in of_branches for row in rows.values("timestamp", "id")[share - 1 : share]]
        nearest = max if descends else min
        return nearest(ends, key=lambda row: (row["timestamp"], row["id"])) if ends else None


def _up_to(end: dict[str, Any], descends: bool) -> Q:
    """The lines that do not come after this one."""
    beyond, within = ("gt", "gte") if descends else ("lt", "lte")
    return Q(**{f"timestamp__{within}": end["timestamp"]}) & (
        Q(**{f"timestamp__{beyond}": end["timestamp"]}) | Q(**{f"id__{within}": end["id"]})
    )

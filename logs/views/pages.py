"""Pages of lines, merged from indexes."""

from typing import Any

from django.db.models import QuerySet

from core.api.paging import BoundedPages
from logs.filters import Selection


class LinePages(BoundedPages):
    """Pages by time."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(selection.checked)
        self.selection = selection

    def branches(self, rows: QuerySet[Any]) -> list[QuerySet[Any]]:
        return [rows.filter(branch) for branch in self.selection.branches]

"""Export incidents as CSV, in chunks and constant memory."""

import csv
import datetime as dt
from collections.abc import Iterator
from typing import Any

from core.backoffice.spreadsheets import cell
from core.severity import WORD_OF_PRIORITY, WORD_OF_SEVERITY
from core.text.encodings import BYTE_ORDER_MARK
from incidents.models import IncidentQuerySet
from incidents.representation import service_slugs

CHUNK = 1000
FIRST_CHUNK = 100
COLUMNS = (
    "id",
    "title",
    "description",
    "status",
    "severity",
    "priority",
    "category__slug",
    "location",
    "team__name",
    "assignee__name",
    "reporter__name",
    "origin_system",
    "occurred_at",
    "created_at",
    "acknowledged_at",
    "resolved_at",
    "closed_at",
    "ack_seconds",
    "resolve_seconds",
    "reopen_count",
    "ack_breached",
    "resolve_breached",
)
HEADER = ["reference", *(column.split("__")[0] for column in COLUMNS[1:]), "services"]


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_rows(incidents: IncidentQuerySet) -> Iterator[str]:
    """Yield CSV text in chunks, newest incidents first.

    Each chunk is a query that starts after the last id, so that no cursor stays open.
    """
    writer = csv.writer(_Echo())
    yield BYTE_ORDER_MARK + writer.writerow(HEADER)  # tells Excel that it is UTF-8
    last_id: int | None = None
    while True:
        # A small first chunk gives a quick first byte.
        size = CHUNK if last_id is not None else FIRST_CHUNK
        page = incidents if last_id is None else incidents.filter(pk__lt=last_id)
        rows = list(page.order_by("-pk").values_list(*COLUMNS)[:size])
        if not rows:
            return
        slugs = service_slugs([row[0] for row in rows])
        yield "".join(writer.writerow(_row_cells(row, slugs[row[0]])) for row in rows)
        last_id = rows[-1][0]


def _row_cells(row: tuple[Any, ...], services: list[str]) -> list[Any]:
    values = dict(zip(COLUMNS, row, strict=True))
    values["id"] = f"INC-{values['id']}"
    values["severity"] = WORD_OF_SEVERITY[values["severity"]]
    values["priority"] = WORD_OF_PRIORITY[values["priority"]]
    return [*(_format_cell(value) for value in values.values()), cell(" ".join(services))]


def _format_cell(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return cell(value)

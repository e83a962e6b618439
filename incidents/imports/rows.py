"""Cells into a typed row, or the reason why not. Pure: no database, no clock."""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from core.text.names import one_line, tidied
from incidents.imports.mapping import PLACEHOLDER, Mapping, Translation
from incidents.imports.reading import Cells
from incidents.vocabulary import Status

MAX_ID = 190
MAX_TITLE = 200
MAX_LOCATION = 200
MAX_NAME = 100  # of a team or category
MAX_PERSON = 150
MAX_TEXT = 100_000
SHOWN = 60  # characters of a wrong value that a reason quotes
EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class RowRefused(ValueError):
    """A row that cannot be imported; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """An incident as one row shows it. None in severity or priority: the row does not say."""

    line: int
    external_id: str
    opened_at: dt.datetime
    opened_by: str
    at: dt.datetime
    order: int
    actor_name: str
    status: Status
    severity: int | None
    priority: int | None
    team: str
    category: str
    title: str
    description: str
    location: str
    assignee: str
    resolved_at: dt.datetime | None
    closed_at: dt.datetime | None
    details: dict[str, str]


def parse(cells: Cells, mapping: Mapping, now: dt.datetime) -> Row:
    """Return the row of these cells. Raises RowRefused, also for times after `now`."""
    parser = _Parser(dict(zip(mapping.used_columns, cells.values, strict=True)), mapping, now)
    return Row(
        line=cells.line,
        external_id=parser.external_id(),
        opened_at=parser.needed_time("opened_at"),
        opened_by=tidied(parser.short("opened_by", MAX_PERSON)),
        at=parser.needed_time("updated_at"),
        order=parser.order(),
        actor_name=tidied(parser.short("updated_by", MAX_PERSON)),
        status=parser.status(),
        severity=parser.translated(mapping.severity),
        priority=parser.translated(mapping.priority),
        team=tidied(parser.bounded(mapping.team.column if mapping.team else "", MAX_NAME)),
        category=tidied(parser.bounded(mapping.category.column if mapping.category else "", MAX_NAME)),
        title=one_line(parser.filled(mapping.title))[:MAX_TITLE],
        description=parser.filled(mapping.description)[:MAX_TEXT],
        location=parser.short("location", MAX_LOCATION),
        assignee=tidied(parser.short("assignee", MAX_PERSON)),
        resolved_at=parser.time(mapping.columns["resolved_at"]),
        closed_at=parser.time(mapping.columns["closed_at"]),
        details={name: value for name in mapping.details if (value := parser.value(name))},
    )


@dataclass(frozen=True, slots=True)
class _Parser:
    cells: dict[str, str]
    mapping: Mapping
    now: dt.datetime

    def value(self, column: str) -> str:
        """Return the cell, or ""."""
        text = self.cells[column] if column else ""
        return "" if text in self.mapping.missing else text

    def bounded(self, column: str, limit: int) -> str:
        text = self.value(column)
        if len(text) > limit:
            raise RowRefused(f"{column}: longer than {limit} characters")
        return text

    def short(self, key: str, limit: int) -> str:
        return self.bounded(self.mapping.columns[key], limit)

    def external_id(self) -> str:
        text = self.short("id", MAX_ID)
        if not text:
            raise RowRefused(f"{self.mapping.columns['id']}: missing")
        return text

    def order(self) -> int:
        column = self.mapping.columns["order"]
        text = self.value(column)
        try:
            return int(text) if text else 0
        except ValueError as error:
            raise RowRefused(f"{column}: {text[:SHOWN]!r} is not a whole number") from error

    def status(self) -> Status:
        text = self.cells[self.mapping.status_column]
        if text not in self.mapping.statuses:
            raise RowRefused(f"{self.mapping.status_column}: {text[:SHOWN]!r} is not among the mapping's states")
        return self.mapping.statuses[text]

    def translated(self, translation: Translation | None) -> int | None:
        text = self.value(translation.column) if translation else ""
        if not translation or not text:
            return None
        if text not in translation.values:
            raise RowRefused(f"{translation.column}: {text[:SHOWN]!r} is not among the mapping's values")
        return translation.values[text]

    def filled(self, template: str) -> str:
        return PLACEHOLDER.sub(lambda match: self.value(match.group(1)) or "unknown", template)

    def needed_time(self, key: str) -> dt.datetime:
        column = self.mapping.columns[key]
        moment = self.time(column)
        if moment is None:
            raise RowRefused(f"{column}: missing")
        return moment

    def time(self, column: str) -> dt.datetime | None:
        text = self.value(column)
        if not text:
            return None
        moment = parse_time(text, self.mapping.time_formats, self.mapping.time_zone)
        if moment is None:
            raise RowRefused(f"{column}: {text[:SHOWN]!r} is not a time in the form {self._forms()}")
        if not EARLIEST <= moment <= self.now:
            raise RowRefused(
                f"{column}: {text[:SHOWN]!r} lies {'in the future' if moment > self.now else 'before 1970'}"
            )
        return moment

    def _forms(self) -> str:
        return " or ".join(self.mapping.time_formats)


@lru_cache(maxsize=8192)
def parse_time(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> dt.datetime | None:
    """Return the time in UTC by the first format that fits (`iso`: ISO 8601), or None."""
    for form in formats:
        try:
            moment = dt.datetime.fromisoformat(text) if form == "iso" else dt.datetime.strptime(text, form)  # noqa: DTZ007 (zoned below)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            continue
    return None

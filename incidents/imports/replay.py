"""Replay the rows of one incident into events and final columns. Pure.

Each row is the state at a moment; the differences are the events. Transitions need not obey our lifecycle.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.severity import Priority, Severity
from incidents.imports.mapping import Mapping
from incidents.imports.reading import Cells, Refusal
from incidents.imports.rows import Row, RowRefused, parse
from incidents.vocabulary import OPEN_STATUSES, EventKind, Status

FINISHED = (Status.RESOLVED, Status.CLOSED)
KIND_OF_TARGET = {
    Status.OPEN: EventKind.FIELD_CHANGED,
    Status.ACKNOWLEDGED: EventKind.ACKNOWLEDGED,
    Status.IN_PROGRESS: EventKind.STARTED,
    Status.ON_HOLD: EventKind.HELD,
    Status.RESOLVED: EventKind.RESOLVED,
    Status.CLOSED: EventKind.CLOSED,
}
KIND_OF_FIELD = {
    "title": EventKind.FIELD_CHANGED,
    "description": EventKind.FIELD_CHANGED,
    "category": EventKind.FIELD_CHANGED,
    "location": EventKind.FIELD_CHANGED,
    "severity": EventKind.SEVERITY_CHANGED,
    "priority": EventKind.PRIORITY_CHANGED,
    "team": EventKind.TEAM_CHANGED,
}


@dataclass(frozen=True, slots=True)
class ImportedEvent:
    """An event to be: our fields and the log's own columns, as {field: [before, after]}."""

    kind: EventKind
    at: dt.datetime
    actor_name: str
    changes: dict[str, list[Any]] = field(default_factory=dict)
    details: dict[str, list[str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedIncident:
    """An incident to be: its columns, and its events in order."""

    line: int
    external_id: str
    columns: dict[str, Any]
    events: list[ImportedEvent]


def read_incident(
    group: Sequence[Cells], mapping: Mapping, now: dt.datetime
) -> tuple[ImportedIncident | None, list[Refusal]]:
    """Return the incident of these rows (None when all are refused), and the refused rows."""
    rows: list[Row] = []
    refusals: list[Refusal] = []
    lines: dict[tuple[str, ...], int] = {}
    for cells in group:
        repeated = lines.setdefault(cells.values, cells.line)
        try:
            if repeated != cells.line:
                raise RowRefused(f"repeats line {repeated}")
            rows.append(parse(cells, mapping, now))
        except RowRefused as refused:
            refusals.append(Refusal(cells.line, cells.values[0], str(refused)))
    return (replay(rows, mapping) if rows else None), refusals


def replay(rows: Iterable[Row], mapping: Mapping) -> ImportedIncident:
    """Return the incident of these rows, in any order."""
    ordered = sorted(rows, key=lambda row: (row.at, row.order, row.line))
    story = _Story(ordered[0], mapping)
    for row in ordered:
        story.tell(row)
    story.settle_stamps(ordered)
    return ImportedIncident(ordered[0].line, ordered[0].external_id, story.columns(), story.events)


class _Story:
    """The incident while its rows go by."""

    def __init__(self, first: Row, mapping: Mapping) -> None:
        self.mapping = mapping
        self.opened_at = self.clock_started_at = self.at = first.opened_at
        self.paused = dt.timedelta()
        self.events: list[ImportedEvent] = []
        self.last_end: dict[str, ImportedEvent] = {}
        severity = Severity(first.severity or mapping.severity.default)
        self.now: dict[str, Any] = {
            "title": first.title,
            "description": first.description,
            "status": Status.OPEN,
            "severity": severity,
            "priority": self._priority(first, severity, mapping.priority.default if mapping.priority else severity),
            "category": first.category,
            "location": first.location,
            "team": first.team,
            "reopen_count": 0,
            "acknowledged_at": None,
            "resolved_at": None,
            "closed_at": None,
            "paused_at": None,
        }
        self.details = first.details
        self.assignee = first.assignee
        self._begin(first.opened_by)

    def tell(self, row: Row) -> None:
        """Add what this row changes; one dated before the opening counts at the opening."""
        self.at = max(row.at, self.opened_at)
        severity = Severity(row.severity or self.now["severity"])
        values = {name: getattr(row, name) for name in ("title", "description", "category", "location", "team")}
        priority = self._priority(row, severity, self.now["priority"])
        for name, value in {**values, "severity": severity, "priority": priority}.items():
            self._event(KIND_OF_FIELD[name], row.actor_name, {name: value})
        self._assign(row)
        self._keep_details(row)
        self._move(row)

    def settle_stamps(self, rows: Sequence[Row]) -> None:
        """Take the log's last value of a stamp that it has a column for."""
        for name, event in self.last_end.items():
            if self.now["status"] in FINISHED and self.now[name] and self.mapping.columns[name]:
                known = [moment for row in rows if (moment := getattr(row, name)) is not None]
                self.now[name] = event.changes[name][1] = known[-1] if known else None
                if not known:
                    del event.changes[name]

    def columns(self) -> dict[str, Any]:
        """Return the final columns."""
        return {
            **self.now,
            "is_priority_given": self.mapping.priority is not None,
            "occurred_at": self.opened_at,
            "created_at": self.opened_at,
            "updated_at": self.at,
            "clock_started_at": self.clock_started_at,
            "ack_seconds": self._seconds_to(self.now["acknowledged_at"]),
            "resolve_seconds": self._seconds_to(self.now["resolved_at"]),
            "paused_seconds": int(self.paused.total_seconds()),
        }

    def _begin(self, opened_by: str) -> None:
        initial = {**self.now, "occurred_at": self.opened_at, "created_at": self.opened_at}
        initial["origin_system"] = self.mapping.origin_system
        details: dict[str, list[str | None]] = {name: [None, value] for name, value in self.details.items()}
        if self.assignee:
            details[self.mapping.columns["assignee"]] = [None, self.assignee]
        changes = {name: [None, value] for name, value in initial.items() if value not in (None, "", 0)}
        self.events.append(ImportedEvent(EventKind.CREATED, self.opened_at, opened_by, changes, details))

    def _priority(self, row: Row, severity: Severity, before: int) -> Priority:
        return Priority((row.priority or before) if self.mapping.priority else severity)

    def _event(self, kind: EventKind, actor_name: str, values: dict[str, Any]) -> ImportedEvent | None:
        changes = {name: [self.now[name], value] for name, value in values.items() if self.now[name] != value}
        if not changes:
            return None
        self.now |= values
        self.events.append(ImportedEvent(kind, self.at, actor_name, changes))
        return self.events[-1]

    def _assign(self, row: Row) -> None:
        """Keep names of assignees in the event: they have no account here."""
        if row.assignee != self.assignee:
            pair = [self.assignee or None, row.assignee or None]
            details = {self.mapping.columns["assignee"]: pair}
            self.events.append(ImportedEvent(EventKind.ASSIGNEE_CHANGED, self.at, row.actor_name, {}, details))
            self.assignee = row.assignee

    def _keep_details(self, row: Row) -> None:
        before, after = self.details, row.details
        pairs = {name: [before.get(name), after.get(name)] for name in self.mapping.details}
        changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        if changed:
            self.events.append(ImportedEvent(EventKind.FIELD_CHANGED, self.at, row.actor_name, {}, changed))
            self.details = after

    def _move(self, row: Row) -> None:
        before, after = self.now["status"], row.status
        if before == after:
            return
        values: dict[str, Any] = {"status": after, "paused_at": self.at if after == Status.ON_HOLD else None}
        if self.now["acknowledged_at"] is None:
            values["acknowledged_at"] = self.at
        if self.now["paused_at"] is not None:
            self.paused += self.at - self.now["paused_at"]
        kind = KIND_OF_TARGET[after]
        if before in FINISHED and after in OPEN_STATUSES:
            kind = EventKind.REOPENED
            values |= {"resolved_at": None, "closed_at": None, "reopen_count": self.now["reopen_count"] + 1}
            self.clock_started_at = self.at
        elif before == Status.ON_HOLD and after == Status.IN_PROGRESS:
            kind = EventKind.RESUMED
        values |= self._end_stamps(before, after)
        event = self._event(kind, row.actor_name, values)
        self.last_end |= {name: event for name in ("resolved_at", "closed_at") if event and values.get(name)}

    def _end_stamps(self, before: Status, after: Status) -> dict[str, dt.datetime | None]:
        stamps: dict[str, dt.datetime | None] = {}
        if after in FINISHED and before in OPEN_STATUSES:
            stamps["resolved_at"] = self.at
        if after in FINISHED:
            stamps["closed_at"] = self.at if after == Status.CLOSED else None
        return stamps

    def _seconds_to(self, moment: dt.datetime | None) -> int | None:
        return None if moment is None else max(int((moment - self.opened_at).total_seconds()), 0)

"""Write imported history: sealed timelines with their own times, without targets, and never announced."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, TypeVar

from django.db import IntegrityError
from django.utils import timezone
from django.utils.text import slugify

from core.db.transactions import unit_of_work
from incidents.actors import SYSTEM, Actor
from incidents.imports.mapping import Mapping
from incidents.imports.replay import ImportedEvent, ImportedIncident
from incidents.models import Category, Incident, Origin
from incidents.services.opening import external_key, insert_new
from incidents.services.recording import ChangeContext, IncidentChange
from incidents.snapshot import encode_field
from responders.models import Team

Row = TypeVar("Row", Team, Category)

NEVER_ANNOUNCED = 0
ATTEMPTS = 3


@dataclass(frozen=True)
class Outcome:
    """Counts of a batch; `behind` are present incidents whose log has grown since."""

    imported: int = 0
    present: int = 0
    behind: int = 0
    events: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))


@dataclass
class Names:
    """Teams and categories by name, created where the mapping allows it."""

    mapping: Mapping
    teams: dict[str, Team] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)

    def refused(self, imported: ImportedIncident) -> str | None:
        """Return why an incident cannot be imported: it names a team or category that does not exist."""
        for column, what, find in (("team", "team", self.team), ("category", "category", self.category)):
            part = getattr(self.mapping, column)
            for name in _names_in(imported, column):
                if part is not None and not part.create and find(name) is None:
                    return f"{part.column}: there is no {what} {name!r}, and the mapping does not create any"
        return None

    def create_for(self, batch: Sequence[ImportedIncident]) -> None:
        """Create the teams and categories that these name."""
        for name in sorted({name for imported in batch for name in _names_in(imported, "team")}):
            if self.team(name) is None:
                self.teams[name] = Team.objects.get_or_create(name=name)[0]
        for name in sorted({name for imported in batch for name in _names_in(imported, "category")}):
            if self.category(name) is None:
                self.categories[name] = Category.objects.get_or_create(name=name, defaults={"slug": _free_slug(name)})[
                    0
                ]

    def team(self, name: str) -> Team | None:
        return _remembered(self.teams, name, lambda: Team.objects.filter(name=name).first())

    def category(self, name: str) -> Category | None:
        return _remembered(self.categories, name, lambda: Category.objects.filter(name=name).first())

    def value(self, column: str, value: Any) -> Any:
        """Return an imported value as the model holds it."""
        if column == "team":
            return self.teams[value] if value else None
        if column == "category":
            return self.categories[value] if value else None
        return value


def import_batch(batch: Sequence[ImportedIncident], *, names: Names, is_dry_run: bool = False) -> Outcome:
    """Write the incidents that are not there yet, in one transaction, and return the counts.

    Safe to repeat and to run in parallel.
    """
    if is_dry_run:
        missing, outcome = _sift(batch, names.mapping)
        return outcome + Outcome(imported=len(missing), events=sum(len(imported.events) for imported in missing))
    names.create_for(batch)
    for _ in range(ATTEMPTS - 1):
        try:
            return _write(batch, names)
        except IntegrityError:
            continue  # another import wrote one of them since we looked; look again
    return _write(batch, names)


@unit_of_work
def _write(batch: Sequence[ImportedIncident], names: Names) -> Outcome:
    missing, outcome = _sift(batch, names.mapping)
    received_at = timezone.now()
    changes = [_change(imported, names, received_at) for imported in missing]
    insert_new(changes)
    return outcome + Outcome(imported=len(changes), events=sum(len(change.events) for change in changes))


def _sift(batch: Sequence[ImportedIncident], mapping: Mapping) -> tuple[list[ImportedIncident], Outcome]:
    keys = {external_key(mapping.origin_system, imported.external_id): imported for imported in batch}
    found = dict(Incident.objects.filter(external_key__in=keys).values_list("external_key", "event_count"))
    behind = sum(found[key] < len(imported.events) for key, imported in keys.items() if key in found)
    missing = [imported for key, imported in keys.items() if key not in found]
    return missing, Outcome(present=len(found), behind=behind)


def _incident(imported: ImportedIncident, names: Names) -> Incident:
    system = names.mapping.origin_system
    columns = {column: names.value(column, value) for column, value in imported.columns.items()}
    return Incident(
        origin_system=system,
        external_id=imported.external_id,
        external_key=external_key(system, imported.external_id),
        sla={},
        **columns,
    )


def _change(imported: ImportedIncident, names: Names, received_at: dt.datetime) -> IncidentChange:
    context = ChangeContext(SYSTEM, Origin.IMPORT, imported.events[0].at, received_at)
    change = IncidentChange(_incident(imported, names), context)
    for imported_event in imported.events:
        change.context = replace(context, at=imported_event.at)
        event = change.add_event(
            imported_event.kind, data=_data(imported_event, names), by=Actor(name=imported_event.actor_name)
        )
        event.feed_seq = NEVER_ANNOUNCED
    return change


def _data(imported_event: ImportedEvent, names: Names) -> dict[str, Any]:
    changes = {
        column: [_encoded(column, before, names), _encoded(column, after, names)]
        for column, (before, after) in imported_event.changes.items()
    }
    return {"changes": changes} | ({"details": imported_event.details} if imported_event.details else {})


def _encoded(column: str, value: Any, names: Names) -> Any:
    return None if value is None else encode_field(column, names.value(column, value))


def _names_in(imported: ImportedIncident, column: str) -> set[str]:
    pairs = (event.changes[column] for event in imported.events if column in event.changes)
    return {name for pair in pairs for name in pair if name}


def _remembered(known: dict[str, Row], name: str, find: Callable[[], Row | None]) -> Row | None:
    if name not in known:
        found = find()
        if found is None:
            return None
        known[name] = found
    return known[name]


def _free_slug(name: str) -> str:
    fingerprint = sha256(name.encode()).hexdigest()[:8]
    slug = slugify(name)[:80]
    if slug and not Category.objects.filter(slug=slug).exists():
        return slug
    return f"{slug or 'category'}-{fingerprint}"

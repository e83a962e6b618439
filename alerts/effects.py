"""What `decide` takes and returns: messages, state, effects. Pure."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerts.matching import facts_of
from alerts.models import Alert, AlertGroup, EarlyResolve
from alerts.routing import Decision, RouteSpec, SilenceSpec, choose_route
from alerts.transitions import Transition
from alerts.updates import AlertUpdate
from core.severity import Severity
from incidents.models import Incident
from intake.models import Source


@dataclass(frozen=True, eq=False)
class Message:
    """An alert update with source and arrival; `key` is the alert's, `unknown` its unknown words."""

    update: AlertUpdate
    source: Source
    received_at: dt.datetime
    key: str
    severity: Severity
    unknown: Mapping[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, str]:
        """Return what matchers look at."""
        return facts_of(self.update.labels, severity=self.severity.word, source=self.source.name)


@dataclass
class State:
    """What a batch touches, locked: alerts, early resolves and groups by key, incidents by id.

    `waiting` fired before their group opened an incident; `past` are (group key, former incident); `held` incidents
    have other firing or flapping alerts; `opened` counts the last minute's incidents by route, up to `storm_limit` (0:
    none).
    """

    routes: Sequence[RouteSpec] = ()
    silences: Sequence[SilenceSpec] = ()
    alerts: dict[str, Alert] = field(default_factory=dict)
    early_resolves: dict[str, EarlyResolve] = field(default_factory=dict)
    groups: dict[str, AlertGroup] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    waiting: dict[str, Alert] = field(default_factory=dict)
    past: set[tuple[str, int]] = field(default_factory=set)
    held: set[int] = field(default_factory=set)
    opened: dict[int | None, int] = field(default_factory=dict)
    storm_limit: int = 0
    decisions: dict[Message, Decision] = field(default_factory=dict)

    def route(self, message: Message) -> Decision:
        """Return a message's way, looked up once."""
        if message not in self.decisions:
            self.decisions[message] = choose_route(self.routes, message.facts)
        return self.decisions[message]


# --- Effects on alerts -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Judge:
    """Record a message's meaning for its alert; None: dropped."""

    message: Message
    transition: Transition | None


@dataclass(frozen=True, eq=False)
class SaveAlert:
    """Insert an alert, or write these columns."""

    alert: Alert
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RememberEarlyResolve:
    """Keep an early end."""

    early: EarlyResolve


@dataclass(frozen=True, eq=False)
class CountRoute:
    """Count what a route matched and dropped."""

    route_id: int
    matched: int
    dropped: int


# --- Effects on groups and incidents ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SaveGroup:
    """Insert or write a group; those that free their key come first."""

    group: AlertGroup


@dataclass(frozen=True, eq=False)
class OpenIncident:
    """Open an incident for the group, as its route says."""

    group: AlertGroup
    alert: Alert
    route: RouteSpec | None
    title: str
    description: str
    severity: Severity


Target = Incident | OpenIncident  # existing, or opened by this batch


@dataclass(frozen=True, eq=False)
class JoinIncident:
    """Add the alert to the incident."""

    incident: Target
    alert: Alert


@dataclass(frozen=True, eq=False)
class ReopenIncident:
    incident: Target
    note: str


@dataclass(frozen=True, eq=False)
class RaiseSeverity:
    """Raise an incident to its worst alert."""

    incident: Target
    severity: Severity


@dataclass(frozen=True, eq=False)
class AcknowledgeIncident:
    """Acknowledge an incident for `user` at the sender."""

    incident: Target
    alert: Alert
    user: str
    note: str


@dataclass(frozen=True, eq=False)
class AddEvent:
    """Add an alert's event, by `user` at the sender."""

    incident: Target
    kind: str
    alert: Alert
    body: str = ""
    user: str = ""


@dataclass(frozen=True, eq=False)
class ResolveIncident:
    """Resolve an incident without firing alerts."""

    incident: Target


Effect = (
    Judge
    | SaveAlert
    | RememberEarlyResolve
    | CountRoute
    | SaveGroup
    | OpenIncident
    | JoinIncident
    | ReopenIncident
    | RaiseSeverity
    | AcknowledgeIncident
    | AddEvent
    | ResolveIncident
)


def storm_key(route_id: int | None) -> str:
    """Return the group key of a route's storms."""
    return hashlib.sha256(f"storm {route_id or 0}".encode()).hexdigest()

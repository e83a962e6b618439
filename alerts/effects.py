"""What `decide` is given and what it answers: messages, the state they meet, and effects. Pure."""

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
    """An alert update with its source and arrival; `key` is the alert's, `unknown` are words nobody understood."""

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
    """What a batch meets, locked: alerts, early resolves and groups by key, incidents by id.

    `waiting` are alerts that fired before their group opened an incident. `past` are pairs of a group's key and an
    incident that it had. `held` are the incidents in which an alert of none of these messages fires or flaps.
    `opened` counts the incidents of the last minute by route, of which there may be `storm_limit` (0: no limit).
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
        """Return the way a message takes, looked up once."""
        if message not in self.decisions:
            self.decisions[message] = choose_route(self.routes, message.facts)
        return self.decisions[message]


# --- Effects on alerts -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Judge:
    """Tell what a message meant for its alert; None: a route drops it."""

    message: Message
    transition: Transition | None


@dataclass(frozen=True, eq=False)
class SaveAlert:
    """Insert a new alert, or write these columns of a known one."""

    alert: Alert
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RememberEarlyResolve:
    """Keep an end that overtook its beginning."""

    early: EarlyResolve


@dataclass(frozen=True, eq=False)
class CountRoute:
    """Add to what a route matched and dropped."""

    route_id: int
    matched: int
    dropped: int


# --- Effects on groups and incidents ----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class SaveGroup:
    """Insert or write a group; one that frees its key is written before another takes it."""

    group: AlertGroup


@dataclass(frozen=True, eq=False)
class OpenIncident:
    """Open an incident for the group; team, category, service and priority are the route's."""

    group: AlertGroup
    alert: Alert
    route: RouteSpec | None
    title: str
    description: str
    severity: Severity


Target = Incident | OpenIncident  # one that is there, or one that this batch opens


@dataclass(frozen=True, eq=False)
class JoinIncident:
    """Put the alert into the incident, and tell so on the timeline."""

    incident: Target
    alert: Alert


@dataclass(frozen=True, eq=False)
class ReopenIncident:
    """Open an incident again."""

    incident: Target
    note: str


@dataclass(frozen=True, eq=False)
class RaiseSeverity:
    """Make an incident as bad as its worst alert."""

    incident: Target
    severity: Severity


@dataclass(frozen=True, eq=False)
class AcknowledgeIncident:
    """Acknowledge an incident for somebody (`user`, or "") at the sender."""

    incident: Target
    alert: Alert
    user: str
    note: str


@dataclass(frozen=True, eq=False)
class AddEvent:
    """Tell something of an alert on the timeline; `user` is who said it at the sender."""

    incident: Target
    kind: str
    alert: Alert
    body: str = ""
    user: str = ""


@dataclass(frozen=True, eq=False)
class ResolveIncident:
    """Resolve an incident of which no alert fires any more."""

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

"""Three years of incidents, played through the project's own rules: the same functions that write an incident's events
in service write them here, only nothing is saved. The same size and the same incident number give the same rows."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from benchmarks.incidents import people, words
from core.severity import Priority, Severity
from incidents.actors import Actor
from incidents.models import EventKind, Incident, IncidentEvent, Origin, Status, Visibility
from incidents.search import tokens
from incidents.services.clocks import due_times, mark_breaches_of, next_breach_at
from incidents.services.lifecycle import move_to
from incidents.services.recording import ChangeContext, IncidentChange
from incidents.services.tallies import COLUMNS, label_of
from incidents.snapshot import initial_changes
from users.models import User

SEED = 20261101
END = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)  # history ends here, whatever the day of the run
SPAN = dt.timedelta(days=3 * 365)
LONG_TIMELINE_ID, LONG_TIMELINE_EVENTS = 501, 50  # the incident whose page is measured

SEVERITY_SHARES = {Severity.CRITICAL: 5, Severity.HIGH: 15, Severity.MEDIUM: 50, Severity.LOW: 30}
# By severity: medians in minutes of the log-normal times to acknowledge and to resolve.
MEDIANS = {
    Severity.CRITICAL: (5, 70),
    Severity.HIGH: (12, 200),
    Severity.MEDIUM: (70, 900),
    Severity.LOW: (300, 2_500),
}
SIGMA = 1.1
LINGERING = dt.timedelta(days=90)  # of the incidents this young,
LINGERING_SHARE = 0.1  # this share is still open
OPEN_STATES = [Status.OPEN, Status.ACKNOWLEDGED, Status.IN_PROGRESS, Status.ON_HOLD]
OPEN_SHARES = [30, 25, 35, 10]
RESTRICTED_EVERY = 200
CLOSED_AFTER = dt.timedelta(days=3)


@dataclass
class Played:
    """One incident as it stands at the end, with everything that belongs to it. Ids are still to be given."""

    incident: Incident
    service_ids: list[int]
    events: list[IncidentEvent] = field(default_factory=list)
    follower_ids: list[int] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What it is counted under."""
        return label_of({column: getattr(self.incident, column) for column in COLUMNS})

    @property
    def document(self) -> str:
        """Its search document, as `incidents.search.reindex_incidents` would write it."""
        incident = self.incident
        public = [f"{incident.reference}\n{incident.title}\n{incident.description}"]
        internal = []
        for event in self.events:
            (internal if event.visibility == Visibility.INTERNAL else public).append(event.body)
        return tokens.build_document("\n".join(public), "\n".join(internal))


class Player:
    """Plays incidents; keeps what all of them refer to."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.users: dict[int, User] = {user.pk: user for user in people.users()}
        self.teams, self.categories, self.services = people.teams(), people.categories(), people.services()
        self.members = {pk: people.members_of(pk) for pk in self.teams}
        self.policies = people.policies()

    def play(self, first_id: int, last_id: int) -> Iterator[Played]:
        """The incidents of these ids, both included; ids follow the time of creation."""
        for incident_id in range(first_id, last_id + 1):
            yield Play(self, incident_id).run()


class Play:
    """One incident's story."""

    def __init__(self, player: Player, incident_id: int) -> None:
        self.player = player
        self.id = incident_id
        self.numbers = random.Random(f"{SEED}/{player.size}/{incident_id}")
        step = SPAN / player.size
        self.created_at = END - SPAN + step * (incident_id - 1 + self.numbers.random())

    def run(self) -> Played:
        """From report to wherever it stands at the end."""
        played = self._reported()
        incident = played.incident
        ack_minutes, resolve_minutes = MEDIANS[Severity(incident.severity)]
        ack_at = self._later(self.created_at, ack_minutes)
        resolve_at = self._later(ack_at, resolve_minutes)
        lingers = END - self.created_at < LINGERING and self.numbers.random() < LINGERING_SHARE
        if lingers or resolve_at >= END:
            self._leave_open(played, min(ack_at, END))
        else:
            self._work_through(played, ack_at, resolve_at)
        if self.id == LONG_TIMELINE_ID:
            self._talk(played, LONG_TIMELINE_EVENTS - len(played.events))
        incident.tallied_as, incident.is_tallied = played.label, True
        incident.updated_at = played.events[-1].received_at
        return played

    def _later(self, start: dt.datetime, median_minutes: float) -> dt.datetime:
        return start + dt.timedelta(minutes=median_minutes * self.numbers.lognormvariate(0, SIGMA))

    def _reported(self) -> Played:
        numbers, player = self.numbers, self.player
        severity = numbers.choices(list(SEVERITY_SHARES), list(SEVERITY_SHARES.values()))[0]
        service_ids = sorted(set(numbers.choices(range(1, people.SERVICES + 1), k=numbers.choice([0, 1, 1, 1, 2, 3]))))
        category_id = min(int(numbers.expovariate(0.12)) + 1, people.CATEGORIES)
        team_id = people.team_of_service(service_ids[0]) if service_ids else category_id
        reporter = player.users[numbers.choice(people.REPORTER_IDS)]
        policy = player.policies[severity]
        ack_due_at, resolve_due_at = due_times(policy, self.created_at, [])
        incident = Incident(
            pk=self.id,
            uid=self._uid(),
            title=words.title(numbers),
            description=words.description(self.id, numbers),
            severity=int(severity),
            priority=int(Priority(severity)),
            category=player.categories[category_id],
            location=numbers.choice(words.PLACES),
            team=None if numbers.random() < 0.03 else player.teams[team_id],
            reporter=reporter,
            is_restricted=self.id % RESTRICTED_EVERY == 7,
            origin_system=str(Origin.API),
            occurred_at=self.created_at - dt.timedelta(minutes=numbers.randint(0, 30)),
            created_at=self.created_at,
            updated_at=self.created_at,
            sla=policy,
            clock_started_at=self.created_at,
            ack_due_at=ack_due_at,
            resolve_due_at=resolve_due_at,
        )
        incident.next_breach_at = next_breach_at(incident)
        played = Played(incident, service_ids, follower_ids=[reporter.pk])
        slugs = [player.services[pk].slug for pk in service_ids]
        with self._entry(played, reporter, self.created_at) as entry:
            entry.add_event(EventKind.CREATED, data={"changes": initial_changes(incident, slugs)})
        return played

    def _uid(self) -> uuid.UUID:
        """UUID version 7 of the time of creation (RFC 9562 §5.7)."""
        milliseconds = int(self.created_at.timestamp() * 1000)
        value = (milliseconds << 80) | self.numbers.getrandbits(80)
        return uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62))

    @cached_property
    def responder(self) -> User:
        """Somebody of the team, or anybody where there is none."""
        team_id = self.team_id
        pool = self.player.members[team_id] if team_id else people.RESPONDER_IDS
        return self.player.users[self.numbers.choice(pool)]

    def _entry(self, played: Played, by: User | None, at: dt.datetime) -> "Recorder":
        self.team_id = played.incident.team_id
        return Recorder(played, ChangeContext(Actor.of(by), Origin.API if by else Origin.JOB, at, at))

    def _move(self, played: Played, status: Status, at: dt.datetime, note: str = "") -> None:
        with self._entry(played, self.responder, at) as entry:
            move_to(entry, status, note)

    def _assign(self, played: Played, at: dt.datetime) -> None:
        with self._entry(played, self.responder, at) as entry:
            entry.apply(EventKind.ASSIGNEE_CHANGED, {"assignee": self.responder})

    def _comment(self, played: Played, at: dt.datetime) -> None:
        visibility = Visibility.INTERNAL if self.numbers.random() < 0.3 else Visibility.PUBLIC
        with self._entry(played, self.responder, at) as entry:
            entry.add_event(EventKind.COMMENT, body=self.numbers.choice(words.REMARKS), visibility=visibility)

    def _work_through(self, played: Played, ack_at: dt.datetime, resolve_at: dt.datetime) -> None:
        numbers = self.numbers
        self._move(played, Status.ACKNOWLEDGED, ack_at)
        between = ack_at + (resolve_at - ack_at) / 2
        if numbers.random() < 0.3:
            self._assign(played, ack_at + (resolve_at - ack_at) / 4)
        if numbers.random() < 0.4:
            self._comment(played, between)
        if numbers.random() < 0.2:
            played.follower_ids.append(self.responder.pk)
        self._move(played, Status.RESOLVED, resolve_at)
        if resolve_at + CLOSED_AFTER < END and numbers.random() < 0.95:
            self._move(played, Status.CLOSED, resolve_at + CLOSED_AFTER)

    def _leave_open(self, played: Played, ack_at: dt.datetime) -> None:
        target = self.numbers.choices(OPEN_STATES, OPEN_SHARES)[0]
        if target != Status.OPEN and ack_at < END:
            self._move(played, Status.ACKNOWLEDGED, ack_at)
            self._assign(played, ack_at)
            if target != Status.ACKNOWLEDGED:
                note = "Waiting for a spare part." if target == Status.ON_HOLD else ""
                self._move(played, target, ack_at + (END - ack_at) / 3, note)
        self._mark_breaches(played)

    def _mark_breaches(self, played: Played) -> None:
        """What the job would have marked by the end."""
        incident = played.incident
        with self._entry(played, None, END) as entry:
            is_running = incident.status != Status.ON_HOLD
            mark_breaches_of(
                entry,
                acknowledged_at=END if incident.status == Status.OPEN else None,
                resolved_at=END if is_running else None,
                resolve_due_at=incident.resolve_due_at,
            )
            incident.next_breach_at = next_breach_at(incident)

    def _talk(self, played: Played, count: int) -> None:
        start = played.events[-1].occurred_at
        for minute in range(1, count + 1):
            self._comment(played, start + dt.timedelta(minutes=minute))


class Recorder:
    """Writes an entry's events into the story instead of the database."""

    def __init__(self, played: Played, act: ChangeContext) -> None:
        self.played = played
        self.entry = IncidentChange(played.incident, act)

    def __enter__(self) -> IncidentChange:
        return self.entry

    def __exit__(self, *error: object) -> None:
        self.entry.seal()
        self.played.events += self.entry.events
        if self.entry.columns:
            self.played.incident.version += 1

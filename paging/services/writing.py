"""Write what escalations do: pages, timeline events, alarms, in few statements for many incidents."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.db import rows
from core.text.sentences import Sentence
from incidents.actors import Actor
from incidents.models import Incident, Origin, Visibility
from incidents.services.recording import ChangeContext, IncidentChange, save_all
from incidents.vocabulary import MachineKind
from paging.models import EscalationAlarm, EscalationRun, Page
from paging.pages import hand_over
from paging.planning import Outcome, importance_of
from paging.services import alarming
from paging.vocabulary import AlarmReason, PagingEventKind

MAX_WHY = Page._meta.get_field("why").max_length or 0
MAX_DETAIL = EscalationAlarm._meta.get_field("detail").max_length or 0
MAX_NAME = 200
OPEN_FOR = Sentence("Open for %(age)s.")
PAGED = Sentence("Paged %(people)s.")
PAGED_NOTE = Sentence("Paged %(people)s; %(why)s.")
MINUTE = dt.timedelta(minutes=1)


def context_of(policy_name: str) -> ChangeContext:
    """Return the context of what a policy does."""
    actor = Actor(machine=MachineKind.ESCALATION, machine_name=policy_name[:100])
    return ChangeContext.now(actor, Origin.JOB)


@dataclass
class Batch:
    """What is to be written in one transaction; the incidents are locked."""

    now: dt.datetime
    changes: dict[int, IncidentChange] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    alarms: list[EscalationAlarm] = field(default_factory=list)
    contexts: dict[str, ChangeContext] = field(default_factory=dict)

    def add_event(
        self, incident: Incident, policy_name: str, kind: PagingEventKind, text: str, **facts: Any
    ) -> IncidentChange:
        """Add an event for those who work on the incident; it has no body, which would have to be indexed."""
        change = self.changes.get(incident.pk)
        if change is None:
            if policy_name not in self.contexts:
                self.contexts[policy_name] = context_of(policy_name)
            change = self.changes[incident.pk] = IncidentChange(incident, self.contexts[policy_name])
        change.add_event(kind, visibility=Visibility.INTERNAL, data={"text": text, **facts})
        return change

    def add_pages(self, run: EscalationRun, incident: Incident, outcome: Outcome, *, step: int | None) -> None:
        """Page the recipients of a step; their key is the same however often this is tried."""
        is_old = self.now - incident.clock_started_at >= MINUTE
        message = OPEN_FOR.say(age=age_of(incident, self.now)) if run.performed and is_old else ""
        importance = importance_of(incident.severity)
        for one in outcome.recipients:
            who = f"user-{one.user_id}" if one.user_id is not None else f"{one.target.kind}-{one.target.id}"
            self.pages.append(
                Page(
                    incident=incident,
                    run=run,
                    step=step,
                    round=run.round,
                    performed=run.performed,
                    user_id=one.user_id,
                    target_kind=one.target.kind,
                    target_id=one.target.id,
                    target_name=one.name[:MAX_NAME],
                    why=one.why[:MAX_WHY],
                    importance=importance,
                    message=message,
                    key=f"{run.pk}-{run.performed}-{who}",
                    created_at=self.now,
                )
            )

    def add_alarm(
        self, incident: Incident, run: EscalationRun | None, reason: AlarmReason, detail: str, *, key: str, name: str
    ) -> None:
        """Raise the alarm that nobody was reached."""
        alarm = EscalationAlarm(
            incident=incident,
            run=run,
            reason=reason,
            detail=detail[:MAX_DETAIL],
            key=key,
            raised_at=self.now,
        )
        self.alarms.append(alarm)
        self.add_event(incident, name, PagingEventKind.NOBODY_REACHED, detail, reason=str(reason))

    def write(self) -> None:
        """Write everything and have the pages delivered."""
        rows.insert(*self.pages)
        save_all(self.changes.values())
        alarming.raise_alarms(self.alarms)
        hand_over(self.pages)


def age_of(incident: Incident, now: dt.datetime) -> str:
    """Return how long an incident has been open: 3 h 12 min."""
    total = max(int((now - incident.clock_started_at).total_seconds()) // 60, 0)
    days, rest = divmod(total, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [
        f"{days} d" if days else "",
        f"{hours} h" if hours else "",
        f"{minutes} min" if minutes or not total else "",
    ]
    return " ".join(filter(None, parts))


def sentence_of(outcome: Outcome) -> str:
    """Return whom a step paged, and why: Paged Ana (on call in Primary)."""
    people = ", ".join(f"{one.name} ({one.why[:1].lower()}{one.why[1:]})" for one in outcome.recipients)
    return PAGED_NOTE.say(people=people, why=outcome.note) if outcome.note else PAGED.say(people=people)


def facts_of(outcome: Outcome) -> list[dict[str, Any]]:
    """Return whom a step paged, for programs."""
    return [
        {"user": one.user_id, "kind": one.target.kind, "id": one.target.id, "name": one.name, "why": one.why}
        for one in outcome.recipients
    ]


def locked(incident_ids: Sequence[int]) -> dict[int, Incident]:
    """Return those of the incidents that nobody else has locked, locked."""
    return {incident.pk: incident for incident in rows.lock_available_in(Incident, incident_ids)}

"""Checking that nobody edited, inserted or removed a row of a timeline behind our back."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import transaction

from incidents import digest
from incidents.models import EventKind, Incident, IncidentEvent, IncidentQuerySet
from incidents.services.recording import sealed_facts

CHUNK_INCIDENTS = 500
CHUNK_EVENTS = 5_000

# What a redaction took out of an event and what it left there: digests of body and data.
Redaction = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Fault:
    """The first row of a timeline that is not as it was written."""

    incident_id: int
    seq: int
    what: str

    def __str__(self) -> str:
        return f"INC-{self.incident_id} event {self.seq}: {self.what}"


def verify(incident: Incident) -> Fault | None:
    """The first fault in the incident's chain of digests, or None when it is whole.

    Somebody may write between our reading of the events and of their count, so a fault is looked at again with the
    incident locked before it is believed.
    """
    return _confirmed(incident) if _first_fault(incident) else None


def _first_fault(incident: Incident) -> Fault | None:
    events = list(IncidentEvent.objects.filter(incident=incident).order_by("seq"))
    event_count, head_digest = Incident.objects.values_list("event_count", "head_digest").get(pk=incident.pk)
    incident.event_count, incident.head_digest = event_count, head_digest
    return first_fault(incident, events)


def first_fault(incident: Incident, events: list[IncidentEvent]) -> Fault | None:
    """The first fault in these events of the incident, ordered by `seq`; the incident's own columns are believed."""
    redactions = _redactions(events)
    previous, schema = "", 1
    for expected_seq, event in enumerate(events, 1):
        if event.seq != expected_seq:
            return Fault(incident.pk, expected_seq, "is missing")
        fault = _fault_in(event, previous, redactions.get(event.seq, []), str(incident.uid))
        if fault or event.schema < schema:  # nobody seals the old way any more
            return Fault(incident.pk, event.seq, fault or "was edited or inserted")
        previous, schema = digest.head_digest(event.digest, event.schema), event.schema
    # Every incident has the event of its opening, whatever its own count says.
    if max(incident.event_count, 1) > len(events):
        return Fault(incident.pk, len(events) + 1, "is missing")
    if incident.event_count < len(events):
        return Fault(incident.pk, len(events), "was added")
    if not hmac.compare_digest(incident.head_digest, previous):
        return Fault(incident.pk, len(events), "does not match the incident's head digest")
    return None


def verify_all(incidents: IncidentQuerySet | None = None) -> Iterator[Fault | None]:
    """For each incident in the order of its number: its first fault, or None when it is whole. Memory is bounded."""
    wanted = Incident.objects.all() if incidents is None else incidents
    rows = wanted.order_by("pk").only("id", "uid", "event_count", "head_digest")
    last_pk = 0
    while chunk := _chunk(list(rows.filter(pk__gt=last_pk)[:CHUNK_INCIDENTS])):
        timelines: dict[int, list[IncidentEvent]] = {incident.pk: [] for incident in chunk}
        for event in IncidentEvent.objects.filter(incident__in=chunk).order_by("incident_id", "seq"):
            timelines[event.incident_id].append(event)
        for incident in chunk:
            fault = first_fault(incident, timelines[incident.pk])
            # Somebody may have written between our two queries: look again before saying so.
            yield _confirmed(incident) if fault else None
        last_pk = chunk[-1].pk


def _chunk(incidents: list[Incident]) -> list[Incident]:
    """The first of these incidents that have not too many events together; one at least."""
    events = 0
    for number, incident in enumerate(incidents):
        events += incident.event_count
        if number and events > CHUNK_EVENTS:
            return incidents[:number]
    return incidents


@transaction.atomic
def _confirmed(incident: Incident) -> Fault | None:
    """The fault as it stands while nobody writes; None too when the incident was purged meanwhile."""
    locked = Incident.objects.select_for_update().filter(pk=incident.pk).first()
    return _first_fault(locked) if locked else None


def _redactions(events: list[IncidentEvent]) -> dict[int, list[Redaction]]:
    """By redacted event: what its redactions took out and left, in order.

    Read before they are verified themselves: one that somebody edited may hold anything.
    """
    found: dict[int, list[Redaction]] = {}
    for event in events:
        if event.kind != EventKind.REDACTED:
            continue
        try:
            seq, taken_out, left = event.data["seq"], event.data["taken_out"], event.data["left"]
            redaction = (taken_out["body"], taken_out["data"]), (left["body"], left["data"])
            found.setdefault(int(seq), []).append(redaction)
        except (KeyError, TypeError, ValueError):
            continue
    return found


def _fault_in(event: IncidentEvent, previous: str, redactions: list[Redaction], uid: str) -> str | None:
    facts = sealed_facts(event, uid)
    if event.redacted_at is not None and not redactions:
        return "was emptied without a removal on record"
    if redactions:
        if event.redacted_at is None or (facts.body_digest, facts.data_digest) != redactions[-1][1]:
            return "was edited after its text was removed"
        body_digest, data_digest = redactions[0][0]
        facts = replace(facts, body_digest=body_digest, data_digest=data_digest)
    if not hmac.compare_digest(digest.event_digest(previous, facts), event.digest):
        return "was edited or inserted"
    return None

"""Checking that nobody edited, inserted or removed a row of a timeline behind our back."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from incidents import digest
from incidents.models import EventKind, Incident, IncidentEvent
from incidents.services.recording import sealed_facts


@dataclass(frozen=True)
class Fault:
    """The first row of a timeline that is not as it was written."""

    incident_id: int
    seq: int
    what: str

    def __str__(self) -> str:
        return f"INC-{self.incident_id} event {self.seq}: {self.what}"


def verify(incident: Incident) -> Fault | None:
    """The first fault in the incident's chain of digests, or None when it is whole."""
    events = list(IncidentEvent.objects.filter(incident=incident).order_by("seq"))
    originals = _redactions(events)
    previous = ""
    for expected_seq, event in enumerate(events, 1):
        if event.seq != expected_seq:
            return Fault(incident.pk, expected_seq, "is missing")
        fault = _fault_in(event, previous, originals.get(event.seq), str(incident.uid))
        if fault:
            return Fault(incident.pk, event.seq, fault)
        previous = event.digest
    event_count, head_digest = Incident.objects.values_list("event_count", "head_digest").get(pk=incident.pk)
    if event_count != len(events):
        cut = event_count > len(events)
        return Fault(incident.pk, len(events) + (1 if cut else 0), "is missing" if cut else "was added")
    if not hmac.compare_digest(head_digest, previous):
        return Fault(incident.pk, len(events), "does not match the incident's head digest")
    return None


def verify_all(incidents: Iterator[Incident]) -> Iterator[Fault]:
    """The first fault of each incident that has one."""
    for incident in incidents:
        fault = verify(incident)
        if fault:
            yield fault


def _redactions(events: list[IncidentEvent]) -> dict[int, list[dict[str, dict[str, str]]]]:
    """By redacted event: what its redactions took out and left, in order."""
    found: dict[int, list[dict[str, dict[str, str]]]] = {}
    for event in events:
        if event.kind == EventKind.REDACTED:
            found.setdefault(event.data["seq"], []).append(event.data)
    return found


def _fault_in(
    event: IncidentEvent, previous: str, redactions: list[dict[str, dict[str, str]]] | None, uid: str
) -> str | None:
    facts = sealed_facts(event, uid)
    if event.redacted_at is not None and not redactions:
        return "was emptied without a removal on record"
    if redactions:
        left = redactions[-1]["left"]
        if (facts.body_digest, facts.data_digest) != (left["body"], left["data"]):
            return "was edited after its text was removed"
        original = redactions[0]["taken_out"]
        facts = digest.Sealed(**{**vars(facts), "body_digest": original["body"], "data_digest": original["data"]})
    if not hmac.compare_digest(digest.event_digest(previous, facts), event.digest):
        return "was edited or inserted"
    return None

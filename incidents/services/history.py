"""Verify timelines and the rows they tell of."""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import structlog
from django.db import transaction

from incidents import digest
from incidents.models import EventKind, Incident, IncidentEvent, IncidentQuerySet
from incidents.services.comparing import FileFault, Rows, Slugs, first_difference, is_sealed, rows_of
from incidents.services.recording import row_digest, sealed_facts

log = structlog.get_logger(__name__)

CHUNK_INCIDENTS = 500
CHUNK_EVENTS = 5_000

# what a redaction removed and left: digests of body and data
Redaction = tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class Fault:
    """The first altered row: an event, or `row`, another one."""

    incident_id: int
    seq: int | None
    what: str
    row: str = ""

    def __str__(self) -> str:
        return f"INC-{self.incident_id} {self.row or f'event {self.seq}'}: {self.what}"


def verify(incident: Incident) -> Fault | None:
    """Return the first fault of the chain, confirmed with the incident locked, or None."""
    return _chain_confirmed(incident) if _chain_fault(incident) else None


def _chain_fault(incident: Incident) -> Fault | None:
    events = list(IncidentEvent.objects.filter(incident=incident).order_by("seq"))
    event_count, head_digest = Incident.objects.values_list("event_count", "head_digest").get(pk=incident.pk)
    incident.event_count, incident.head_digest = event_count, head_digest
    return first_fault(incident, events)


@transaction.atomic
def _chain_confirmed(incident: Incident) -> Fault | None:
    locked = Incident.objects.select_for_update().filter(pk=incident.pk).first()
    return _chain_fault(locked) if locked else None


def first_fault(incident: Incident, events: list[IncidentEvent]) -> Fault | None:
    """Return the first fault in events ordered by `seq`."""
    redactions = _redactions(events)
    uid = str(incident.uid)
    previous, schema = "", 1
    for expected_seq, event in enumerate(events, 1):
        if event.seq != expected_seq:
            return Fault(incident.pk, expected_seq, "is missing")
        fault = _fault_in(event, previous, redactions.get(event.seq, []), uid, incident.pk)
        if fault or event.schema < schema:  # nobody seals the old way any more
            return Fault(incident.pk, event.seq, fault or "was edited or inserted")
        previous = digest.head_digest(sealed_facts(event, uid, incident.pk), event.digest)
        schema = event.schema
    # every incident has its opening event, whatever its count says
    if max(incident.event_count, 1) > len(events):
        return Fault(incident.pk, len(events) + 1, "is missing")
    if incident.event_count < len(events):
        return Fault(incident.pk, len(events), "was added")
    if not hmac.compare_digest(incident.head_digest.encode(), previous.encode()):
        return Fault(incident.pk, len(events), "does not match the incident's head digest")
    return None


@dataclass
class Check:
    """What to check, and what was found."""

    file_fault: FileFault | None = None  # None: files are not read
    seals: bool = False  # seal whole rows from before seals
    unsealed: int = 0
    sealed: int = 0
    slugs: Slugs = field(default_factory=Slugs.present)


def verify_all(incidents: IncidentQuerySet | None = None, *, check: Check | None = None) -> Iterator[Fault | None]:
    """Yield each incident's first fault or None, by number, in bounded memory."""
    check = check or Check()
    wanted = Incident.objects.all() if incidents is None else incidents
    rows = wanted.order_by("pk").select_related("category")
    last_pk = 0
    while chunk := _chunk(list(rows.filter(pk__gt=last_pk)[:CHUNK_INCIDENTS])):
        last_pk = chunk[-1].pk
        for incident, fault, has_seal in _looked_at(chunk, check):
            # somebody may have written between our queries
            if fault or (check.seals and not has_seal):
                yield _confirmed(incident, check)
                continue
            check.unsealed += not has_seal
            yield None


def _looked_at(chunk: list[Incident], check: Check) -> Iterator[tuple[Incident, Fault | None, bool]]:
    timelines: dict[int, list[IncidentEvent]] = {incident.pk: [] for incident in chunk}
    for event in IncidentEvent.objects.filter(incident__in=chunk).order_by("incident_id", "seq"):
        timelines[event.incident_id].append(event)
    rows = rows_of(chunk)
    for incident in chunk:
        events = timelines.pop(incident.pk)
        try:
            fault = first_fault(incident, events) or _difference(incident, events, rows.get(incident.pk, Rows()), check)
        except (LookupError, TypeError, ValueError) as error:  # must not keep the others from being verified
            log.warning("history_unreadable", incident=incident.pk, exc_info=error)
            fault = Fault(incident.pk, None, "holds what the application never writes", row="row")
        yield incident, fault, fault is not None or is_sealed(incident, events)


def _difference(incident: Incident, events: list[IncidentEvent], rows: Rows, check: Check) -> Fault | None:
    found = first_difference(incident, events, rows, check.slugs, check.file_fault)
    return Fault(incident.pk, None, found[1], row=found[0]) if found else None


def _chunk(incidents: list[Incident]) -> list[Incident]:
    """Return the first incidents with a bounded number of events."""
    events = 0
    for number, incident in enumerate(incidents):
        events += incident.event_count
        if number and events > CHUNK_EVENTS:
            return incidents[:number]
    return incidents


@transaction.atomic
def _confirmed(incident: Incident, check: Check) -> Fault | None:
    """Return the fault while nobody writes; seal a whole row if asked to."""
    locked = Incident.objects.select_for_update().filter(pk=incident.pk).first()
    if locked is None:
        return None
    check.slugs = Slugs.present()
    [(_, fault, has_seal)] = _looked_at([locked], check)
    if fault is None and not has_seal:
        if not check.seals:
            check.unsealed += 1
            return None
        locked.row_digest = row_digest(locked, locked.pk)
        locked.save(update_fields=["row_digest"])
        check.sealed += 1
    return fault


def _redactions(events: list[IncidentEvent]) -> dict[int, list[Redaction]]:
    """Return each event's redactions by seq, not verified yet."""
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


def _fault_in(event: IncidentEvent, previous: str, redactions: list[Redaction], uid: str, number: int) -> str | None:
    facts = sealed_facts(event, uid, number)
    if event.redacted_at is not None and not redactions:
        return "was emptied without a removal on record"
    if redactions:
        if event.redacted_at is None or (facts.body_digest, facts.data_digest) != redactions[-1][1]:
            return "was edited after its text was removed"
        body_digest, data_digest = redactions[0][0]
        facts = replace(facts, body_digest=body_digest, data_digest=data_digest)
    if not hmac.compare_digest(digest.event_digest(previous, facts).encode(), event.digest.encode()):
        return "was edited or inserted"
    return None

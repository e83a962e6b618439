"""Compare an incident's rows with its timeline."""

import hmac
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from incidents import digest
from incidents.attachments.kinds import KINDS
from incidents.models import Attachment, Category, EventKind, Incident, IncidentEvent, IncidentLink, Subscription
from incidents.services.clocks import next_breach_at
from incidents.services.recording import row_digest
from incidents.services.redaction import REDACTED
from incidents.services.tallies import COLUMNS, label_of
from incidents.snapshot import ENCODERS, encode_field, replay_changes
from responders.models import Service

NAMED = ("team", "assignee", "reporter")  # by id: names change
SLUGS = ("category", "services")  # names change here too
FILE_FACTS = ("name", "media_type", "size", "sha256")

FileFault = Callable[[Attachment], str]  # "" for a good file


@dataclass
class Rows:
    """What belongs to an incident beside its own row."""

    services: list[str] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    followers: set[int] = field(default_factory=set)
    links: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class Slugs:
    """The present slugs; others were renamed."""

    categories: frozenset[str]
    services: frozenset[str]

    @classmethod
    def present(cls) -> "Slugs":
        return cls(
            frozenset(Category.objects.order_by().values_list("slug", flat=True)),
            frozenset(Service.objects.order_by().values_list("slug", flat=True)),
        )


def rows_of(incidents: Sequence[Incident]) -> dict[int, Rows]:
    """Return incidents' rows by number, in four queries."""
    found: defaultdict[int, Rows] = defaultdict(Rows)
    through = Incident.services.through.objects.filter(incident__in=incidents)
    for number, slug in through.values_list("incident_id", "service__slug"):
        found[number].services.append(slug)
    for attachment in Attachment.objects.filter(incident__in=incidents).order_by("id"):
        found[attachment.incident_id].files.append(attachment)
    for number, person in Subscription.objects.filter(incident__in=incidents).values_list("incident_id", "user_id"):
        found[number].followers.add(person)
    links = IncidentLink.objects.filter(incident__in=incidents).values_list("incident_id", "kind", "target_id")
    for number, kind, target in links:
        found[number].links.add((kind, f"INC-{target}"))
    return found


def first_difference(
    incident: Incident, events: Sequence[IncidentEvent], rows: Rows, slugs: Slugs, file_fault: FileFault | None
) -> tuple[str, str] | None:
    """Return the first row or column that differs, and how; else None."""
    differences = (
        *_columns(incident, events, rows, slugs),
        *_files(events, rows.files, file_fault),
        *_followers(events, rows.followers),
        *_links(events, rows.links),
    )
    return next(iter(differences), None)


def is_sealed(incident: Incident, events: Sequence[IncidentEvent]) -> bool:
    """Return whether the row has a digest."""
    return incident.row_digest is not None or events[-1].schema >= digest.NUMBERED


def _columns(
    incident: Incident, events: Sequence[IncidentEvent], rows: Rows, slugs: Slugs
) -> Iterable[tuple[str, str]]:
    recorded = replay_changes(event.data.get("changes", {}) for event in events)
    stored = {name: encode_field(name, getattr(incident, name)) for name in ENCODERS if name not in NAMED}
    stored |= {name: getattr(incident, f"{name}_id") for name in NAMED} | {"services": sorted(rows.services)}
    recorded |= {name: (recorded[name] or {}).get("id") for name in NAMED} | {"services": sorted(recorded["services"])}
    has_seal, is_whole = is_sealed(incident, events), _is_row_whole(incident, events)
    if is_whole:
        del stored["category"]  # the digest covers its id
    for name, value in stored.items():
        if value != recorded[name] and not (name in SLUGS and _is_renamed(name, recorded[name], value, slugs)):
            yield name, "is not what the timeline says"
    if has_seal and not is_whole:
        yield "row", "was edited"
    if incident.next_breach_at != (None if incident.deleted_at else next_breach_at(incident)):
        yield "next_breach_at", "is not what status and due times say"
    if incident.is_tallied and incident.tallied_as != label_of({name: getattr(incident, name) for name in COLUMNS}):
        yield "tallied_as", "is not what the row is to be counted as"


def _is_row_whole(incident: Incident, events: Sequence[IncidentEvent]) -> bool:
    """Return whether the digest is the row's, with its number where events have it."""
    numbers: list[int | None] = [incident.pk]
    if events[0].schema >= digest.NUMBERED:
        numbers.append(None)
    found = (incident.row_digest or "").encode()
    return any(hmac.compare_digest(found, row_digest(incident, number).encode()) for number in numbers)


def _is_renamed(name: str, recorded: Any, stored: Any, slugs: Slugs) -> bool:
    if name == "category":
        return recorded is not None and stored is not None and recorded not in slugs.categories
    gone, new = set(recorded) - set(stored), set(stored) - set(recorded)
    return len(gone) == len(new) and gone.isdisjoint(slugs.services)


def _files(
    events: Sequence[IncidentEvent], files: Sequence[Attachment], file_fault: FileFault | None
) -> Iterable[tuple[str, str]]:
    recorded: dict[int, IncidentEvent] = {}
    for line in events:
        if line.kind == EventKind.ATTACHMENT_ADDED:
            recorded[line.data["id"]] = line
        elif line.kind == EventKind.ATTACHMENT_REMOVED:
            recorded.pop(line.data["id"], None)
    for attachment in files:
        row, event = f"file {attachment.pk}", recorded.get(attachment.pk)
        if event is None:
            yield row, "is not on the timeline"
        elif wrong := _wrong_facts(attachment, event):
            yield row, f"has not the {wrong} that the timeline says"
        elif wrong := _wrong_copy(attachment, event):
            yield row, wrong
        elif file_fault is not None and (fault := file_fault(attachment)):
            yield row, fault
    for number in recorded.keys() - {attachment.pk for attachment in files}:
        yield f"file {number}", "has no row any more"


def _wrong_facts(attachment: Attachment, event: IncidentEvent) -> str:
    """Return a file's first wrong column, or ""."""
    recorded = {name: event.data[name] for name in FILE_FACTS}
    if recorded["name"] == REDACTED:
        recorded["name"] = f"file-{attachment.pk}"
    recorded |= {"uploaded_by_id": event.actor_id, "created_at": event.occurred_at}
    wrong = next((name for name, value in recorded.items() if getattr(attachment, name) != value), "")
    return wrong.removesuffix("_id").replace("_", " ")


def _wrong_copy(attachment: Attachment, event: IncidentEvent) -> str:
    """Return what is wrong with a served copy, or ""."""
    if not attachment.original_key or (attachment.is_picture and not attachment.served_key):
        return "names no stored file"
    if attachment.is_picture and not (attachment.width and attachment.height):
        return "has lost the picture's size"
    kind = KINDS.get(attachment.media_type)
    if kind is not None and attachment.served_media_type != kind.served_media_type:
        return "is not served as what it is"
    made = ((attachment.served_key, attachment.served_digest), (attachment.thumbnail_key, attachment.thumbnail_digest))
    if event.schema >= digest.NUMBERED and any(key and not sealed for key, sealed in made):
        return "has lost the digest of a file made from it"
    return ""


def _followers(events: Sequence[IncidentEvent], followers: set[int]) -> Iterable[tuple[str, str]]:
    recorded: set[int] = set()
    for event in events:
        if event.kind == EventKind.CREATED and (reporter := event.data.get("changes", {}).get("reporter")):
            recorded.add(reporter[1]["id"])
        elif event.kind == EventKind.SUBSCRIBED:
            recorded.add(event.data["user"]["id"])
        elif event.kind == EventKind.UNSUBSCRIBED:
            recorded.discard(event.data["user"]["id"])
    for person in sorted(followers - recorded):
        yield f"follower {person}", "is not on the timeline"
    for person in sorted(recorded - followers):
        yield f"follower {person}", "has no row any more"


def _links(events: Sequence[IncidentEvent], links: set[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    recorded: set[tuple[str, str]] = set()
    for event in events:
        if event.data.get("is_from_there") or event.kind not in (EventKind.LINKED, EventKind.UNLINKED):
            continue
        link = (event.data["link"], event.data["incident"])
        recorded = recorded | {link} if event.kind == EventKind.LINKED else recorded - {link}
    for kind, reference in sorted(links - recorded):
        yield f"link {kind} {reference}", "is not on the timeline"
    gone = {int(reference.removeprefix("INC-")): f"{kind} {reference}" for kind, reference in recorded - links}
    if gone:
        for number in Incident.objects.filter(pk__in=gone).order_by("pk").values_list("pk", flat=True):
            yield f"link {gone[number]}", "has no row any more"

"""Events of the feed as pages get them: who is told, and what."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from console.live.viewers import Viewer
from console.rows import incident_rows
from core.api.jsonio import to_json
from core.db import rows
from core.severity import WORD_OF_SEVERITY
from incidents.models import EventKind, Incident, IncidentEvent, Visibility
from incidents.permissions import Audience, audiences_of
from incidents.services.feed import FeedEvent, events_after

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Entry:
    """One event, rendered once per language; `before` saw the incident until it went out of sight."""

    event: FeedEvent
    audience: Audience
    facts: dict[str, Any]
    rows: dict[str, str]
    before: Audience | None = None
    _frames: dict[str, bytes] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        return self.event.feed_seq

    def told(self, viewer: Viewer) -> dict[str, Any] | None:
        """Return what a person is told, if anything."""
        if self._is_shown(viewer):
            return {**self.facts, "row": self.rows.get(viewer.language)}
        return _gone(self.facts) if self._is_gone(viewer) else None

    def frame(self, viewer: Viewer) -> bytes | None:
        """Return the bytes of the stream, the same for all of a language."""
        if self._is_shown(viewer):
            return self._framed(viewer.language, lambda: {**self.facts, "row": self.rows.get(viewer.language)})
        return self._framed("gone", lambda: _gone(self.facts)) if self._is_gone(viewer) else None

    def _is_shown(self, viewer: Viewer) -> bool:
        is_public = self.event.visibility == Visibility.PUBLIC
        return self.audience.includes(viewer.user) and (is_public or viewer.reads_internal)

    def _is_gone(self, viewer: Viewer) -> bool:
        return self.before is not None and self.before.includes(viewer.user) and not self._is_shown(viewer)

    def _framed(self, name: str, facts: Any) -> bytes:
        if name not in self._frames:
            self._frames[name] = b"id: %d\ndata: %b\n\n" % (self.seq, to_json(facts()))
        return self._frames[name]


def read_entries(position: int, limit: int, languages: Collection[str]) -> list[Entry]:
    """Return the next entries of the feed, with rows in these languages."""
    events = events_after(position, limit)
    if not events:
        return []
    incidents = rows.by_id(Incident, {event.incident_id for event in events})
    audiences = audiences_of(incidents.values())
    rendered = {language: _rendered(incidents.values(), language) for language in languages}
    hidden = _hiding(events, incidents)
    entries = []
    for event in events:
        if (incident := incidents.get(event.incident_id)) is None:
            continue
        audience = audiences[incident.pk]
        of_languages = {language: found[incident.pk] for language, found in rendered.items() if incident.pk in found}
        before = replace(audience, is_present=True, is_restricted=False) if event.feed_seq in hidden else None
        if event.kind == EventKind.DELETED:
            before = replace(audience, is_present=True)
        entries.append(Entry(event, audience, _facts(event, incident), of_languages, before))
    return entries


def _facts(event: FeedEvent, incident: Incident) -> dict[str, Any]:
    return {
        "feed_seq": event.feed_seq,
        "incident": incident.pk,
        "reference": incident.reference,
        "title": incident.title,
        "kind": event.kind,
        "occurred_at": event.occurred_at,
        "status": incident.status,
        "severity": WORD_OF_SEVERITY[incident.severity],
        "team": incident.team_id,
        "assignee": incident.assignee_id,
    }


def _gone(facts: dict[str, Any]) -> dict[str, Any]:
    kept = {name: facts[name] for name in ("feed_seq", "incident", "reference", "kind", "occurred_at")}
    return {**kept, "title": "", "is_gone": True}


def _rendered(incidents: Iterable[Incident], language: str) -> dict[int, str]:
    ids = [incident.pk for incident in incidents if incident.deleted_at is None]
    try:
        return incident_rows(ids, language)
    except Exception as error:  # pages ask for the rows themselves then
        log.error("live_rows_not_rendered", language=language, incidents=ids, exc_info=error)
        return {}


def _hiding(events: Iterable[FeedEvent], incidents: dict[int, Incident]) -> set[int]:
    """Return the places of events that made incidents restricted."""
    places = [
        event.feed_seq
        for event in events
        if event.kind == EventKind.FIELD_CHANGED
        and event.incident_id in incidents
        and incidents[event.incident_id].is_restricted
    ]
    found = IncidentEvent.objects.filter(feed_seq__in=places).values_list("feed_seq", "data") if places else ()
    return {
        place
        for place, data in found
        if place is not None and data.get("changes", {}).get("is_restricted") == [False, True]
    }

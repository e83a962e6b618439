"""What a source's own words mean, and those that nobody understands: listed on their source until people teach them."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alerts import validation
from alerts.decide import NOT_UNDERSTOOD
from alerts.effects import Message
from alerts.reading.words import mapped, normal
from alerts.routing import alert_key
from alerts.updates import Action, AlertUpdate
from core.db import rows
from core.db.transactions import unit_of_work
from core.severity import SEVERITY_OF_WORD, Severity
from intake.models import IntakeEvent, Source, UnknownWord
from intake.vocabulary import MappedField

MOST_WORDS = 100  # of one source; those seen longest ago give way
MOST_EVENTS = 20  # whose numbers are kept for a word
LONGEST_WORD = validation.LONGEST_WORD
AHEAD = dt.timedelta(days=1)  # a clock that is wrong by its time zone is believed


def message_of(source: Source, update: AlertUpdate, at: dt.datetime) -> Message:
    """Return an update as its source understands it."""
    update = as_taught(source, update)
    began, ended = update.starts_at, update.ends_at
    if began is not None:
        # Until a beginning that lies ahead, every true one would be taken for older news; and an end that began when it
        # ended, as Grafana 12 tells it, tells no beginning.
        is_end_twice = update.action == Action.RESOLVE and ended is not None and began >= ended
        update = replace(update, starts_at=None) if is_end_twice or began > at + AHEAD else update
    unknown = not_understood(source, update)
    if unknown:
        noted = {**update.annotations, NOT_UNDERSTOOD: sentence_of(unknown.items())}
        update = replace(update, annotations=noted)
    severity = mapped(source.severity_map, *severity_words(update), update.severity) or update.severity
    return Message(
        update,
        source,
        at,
        alert_key(source.pk or 0, update.identity),
        SEVERITY_OF_WORD.get(severity, Severity(source.default_severity)),
        unknown,
    )


def as_taught(source: Source, update: AlertUpdate) -> AlertUpdate:
    """Return the update with the action that the source's own map gives its word."""
    meaning = mapped(source.status_map, update.status_word[:LONGEST_WORD]) if update.status_word else ""
    if not meaning:
        return update
    note = "" if meaning == "ignore" else update.note
    return replace(update, action=validation.STATUS_MEANINGS.get(meaning, update.action), note=note, is_guess=False)


def severity_words(update: AlertUpdate) -> tuple[str, ...]:
    """Return what the sender calls how bad it is."""
    return tuple(word[:LONGEST_WORD] for word in (update.labels.get("severity", ""), update.severity_word) if word)


def not_understood(source: Source, update: AlertUpdate) -> dict[str, str]:
    """Return the words that nobody understood, by what they are about."""
    found: dict[str, str] = {}
    if update.is_guess and update.status_word:
        found[MappedField.STATUS] = update.status_word[:LONGEST_WORD]
    said = severity_words(update)
    if said and not update.severity and update.action == Action.FIRE and not mapped(source.severity_map, *said):
        found[MappedField.SEVERITY] = said[0]
    return found


def sentence_of(words: Iterable[tuple[str, str]]) -> str:
    """Return the sentence that names them."""
    named = ", ".join(f"{about} “{word}”" for about, word in dict.fromkeys(words))
    return f"Not understood: {named}." if named else ""


def serialize_message(message: Message) -> dict[str, Any]:
    """Return an update as samples and simulations show it."""
    return {
        "title": message.update.title,
        "action": message.update.action.value,
        "severity": message.severity.word,
        "fingerprint": message.update.identity,
        "labels": dict(message.update.labels),
        "not_understood": sentence_of(message.unknown.items()),
    }


@dataclass
class _Occurrences:
    source: Source
    about: str
    word: str
    since: dt.datetime
    at: dt.datetime
    events: list[int] = field(default_factory=list)
    count: int = 0


class UnknownWords:
    """The words of one batch: counted in memory, written once."""

    def __init__(self) -> None:
        self._found: dict[str, _Occurrences] = {}

    def add_message(self, source: Source, event: IntakeEvent, words: Mapping[str, str]) -> None:
        for about, word in words.items():
            found = self.add(source, about, word, event.received_at)
            if event.pk not in found.events:
                found.events = [*found.events, event.pk][-MOST_EVENTS:]

    def add(self, source: Source, about: str, word: str, at: dt.datetime, count: int = 1) -> _Occurrences:
        """Count a word that occurred so often."""
        key = key_of(source, about, word[:LONGEST_WORD])
        found = self._found.setdefault(key, _Occurrences(source, about, word[:LONGEST_WORD], at, at))
        found.count += count
        found.since, found.at = min(found.since, at), max(found.at, at)
        return found

    def save(self) -> None:
        """Write what was counted. Call it last in a transaction, for senders share these rows."""
        known = {row.key: row for row in rows.select_in(UnknownWord, "key", sorted(self._found), lock=True)}
        for key, row in known.items():
            found = self._found[key]
            row.count += found.count
            row.last_seen_at = max(row.last_seen_at, found.at)
            row.events = [*(pk for pk in row.events if pk not in found.events), *found.events][-MOST_EVENTS:]
        rows.update_many(list(known.values()), ("count", "last_seen_at", "events"))
        fresh = [_row(key, found) for key, found in sorted(self._found.items()) if key not in known]
        rows.insert(*fresh)
        for source_id in sorted({row.source_id for row in fresh}):
            _prune_words(source_id)


def _row(key: str, found: _Occurrences) -> UnknownWord:
    return UnknownWord(
        source=found.source,
        field=found.about,
        word=found.word,
        key=key,
        count=found.count,
        first_seen_at=found.since,
        last_seen_at=found.at,
        events=found.events,
    )


def _prune_words(source_id: int) -> None:
    latest = UnknownWord.objects.filter(source=source_id).order_by("-last_seen_at", "-pk")
    spare = list(latest.values_list("pk", flat=True)[MOST_WORDS : MOST_WORDS * 3])
    if spare:
        UnknownWord.objects.filter(pk__in=spare).delete()


def key_of(source: Source, about: str, word: str) -> str:
    """Return the identity of a word: SHA-256 of the source, what it is about and the word as words are compared."""
    return hashlib.sha256(f"{source.pk}\0{about}\0{normal(word)}".encode("utf-8", "surrogatepass")).hexdigest()


def still_unknown(source: Source) -> list[UnknownWord]:
    """Return those of a source that its maps do not know by now, the latest first."""
    words = sorted(source.unknown_words.all(), key=lambda row: (row.last_seen_at, row.pk), reverse=True)
    return [row for row in words if not mapped(_map_of(source, row.field), row.word)]


@unit_of_work
def prune_known(source: Source) -> None:
    """Delete the words that the source's maps know by now."""
    known = [row.pk for row in source.unknown_words.all() if mapped(_map_of(source, row.field), row.word)]
    UnknownWord.objects.filter(pk__in=known).delete()


def _map_of(source: Source, about: str) -> Mapping[str, str]:
    words: Mapping[str, str] = source.status_map if about == MappedField.STATUS else source.severity_map
    return words

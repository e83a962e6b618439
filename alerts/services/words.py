"""Words of senders that nobody here understands: told on their source, until people teach what they mean."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from alerts import validation
from alerts.reading.words import mapped, normal
from alerts.updates import Action, AlertUpdate, Leftover
from core.db import rows
from core.db.transactions import unit_of_work
from intake.models import IntakeEvent, Source, UnknownWord
from intake.vocabulary import MappedField

MOST_WORDS = 100  # of one source; the ones heard of longest ago give way
MOST_EVENTS = 20  # whose numbers are kept for a word
LONGEST_WORD = validation.LONGEST_WORD


def as_taught(source: Source, draft: AlertUpdate) -> AlertUpdate:
    """The draft with the action that the source's own map gives its word, where it does."""
    meaning = mapped(source.status_map, draft.status_word[:LONGEST_WORD]) if draft.status_word else ""
    if not meaning:
        return draft
    note = "" if meaning == "ignore" else draft.note
    return replace(draft, action=validation.STATUS_MEANINGS.get(meaning, draft.action), note=note, is_guess=False)


def severity_words(draft: AlertUpdate) -> tuple[str, ...]:
    """What the sender calls how bad it is, in all places where that stands."""
    return tuple(word[:LONGEST_WORD] for word in (draft.labels.get("severity", ""), draft.severity_word) if word)


def not_understood(source: Source, draft: AlertUpdate) -> dict[str, str]:
    """The words that neither the adapter nor the source's own maps know, by what they are about. How bad it is matters
    only where something fires."""
    found: dict[str, str] = {}
    if draft.is_guess and draft.status_word:
        found[MappedField.STATUS] = draft.status_word[:LONGEST_WORD]
    said = severity_words(draft)
    if said and not draft.severity and draft.action == Action.FIRE and not mapped(source.severity_map, *said):
        found[MappedField.SEVERITY] = said[0]
    return found


def sentence_of(words: Iterable[tuple[str, str]]) -> str:
    """What is said of them where an event or an alert is shown."""
    told = ", ".join(f"{about} “{word}”" for about, word in dict.fromkeys(words))
    return f"Not understood: {told}." if told else ""


def doubts(source: Source | None, drafts: Iterable[AlertUpdate], leftover: Leftover | None) -> str:
    """What of a request was not understood though it was taken."""
    taught = [as_taught(source, draft) for draft in drafts] if source is not None else []
    words = [pair for draft in taught if source for pair in not_understood(source, draft).items()]
    items = ", ".join(str(number) for number, _why in leftover.reasons[:20]) if leftover else ""
    parts = (sentence_of(words), f"Could not be read, and kept apart: item {items}." if items else "")
    return " ".join(part for part in parts if part)


@dataclass
class _Heard:
    source: Source
    about: str
    word: str
    since: dt.datetime
    at: dt.datetime
    events: list[int] = field(default_factory=list)
    count: int = 0


class UnknownWords:
    """Those that one batch of messages holds: counted at hand, written once."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}

    def hear(self, source: Source, event: IntakeEvent, words: Mapping[str, str]) -> None:
        """Take note of the words of one message."""
        for about, word in words.items():
            heard = self.note(source, about, word, event.received_at)
            if event.pk not in heard.events:
                heard.events = [*heard.events, event.pk][-MOST_EVENTS:]

    def note(self, source: Source, about: str, word: str, at: dt.datetime, count: int = 1) -> _Heard:
        """Take note of a word that was heard so often."""
        key = key_of(source, about, word[:LONGEST_WORD])
        heard = self._heard.setdefault(key, _Heard(source, about, word[:LONGEST_WORD], at, at))
        heard.count += count
        heard.since, heard.at = min(heard.since, at), max(heard.at, at)
        return heard

    def save(self) -> None:
        """Write what was heard; to be called last in a transaction, for senders share these rows."""
        known = {row.key: row for row in rows.select_in(UnknownWord, "key", sorted(self._heard), lock=True)}
        for key, row in known.items():
            heard = self._heard[key]
            row.count += heard.count
            row.last_seen_at = max(row.last_seen_at, heard.at)
            row.events = [*(pk for pk in row.events if pk not in heard.events), *heard.events][-MOST_EVENTS:]
        rows.update_many(list(known.values()), ("count", "last_seen_at", "events"))
        fresh = [_row(key, heard) for key, heard in sorted(self._heard.items()) if key not in known]
        rows.insert(*fresh)
        for source_id in sorted({row.source_id for row in fresh}):
            _forget_oldest(source_id)


def _row(key: str, heard: _Heard) -> UnknownWord:
    return UnknownWord(
        source=heard.source,
        field=heard.about,
        word=heard.word,
        key=key,
        count=heard.count,
        first_seen_at=heard.since,
        last_seen_at=heard.at,
        events=heard.events,
    )


def _forget_oldest(source_id: int) -> None:
    latest = UnknownWord.objects.filter(source=source_id).order_by("-last_seen_at", "-pk")
    spare = list(latest.values_list("pk", flat=True)[MOST_WORDS : MOST_WORDS * 3])
    if spare:
        UnknownWord.objects.filter(pk__in=spare).delete()


def key_of(source: Source, about: str, word: str) -> str:
    """The identity of a word: SHA-256 of the source, what it is about and the word as words are compared."""
    return hashlib.sha256(f"{source.pk}\0{about}\0{normal(word)}".encode("utf-8", "surrogatepass")).hexdigest()


def still_unknown(source: Source) -> list[UnknownWord]:
    """Those of a source that its maps do not know by now, the latest first."""
    words = sorted(source.unknown_words.all(), key=lambda row: (row.last_seen_at, row.pk), reverse=True)
    return [row for row in words if not mapped(_map_of(source, row.field), row.word)]


@unit_of_work
def forget_known(source: Source) -> None:
    """Forget the words that the source's maps know by now."""
    known = [row.pk for row in source.unknown_words.all() if mapped(_map_of(source, row.field), row.word)]
    UnknownWord.objects.filter(pk__in=known).delete()


def _map_of(source: Source, about: str) -> Mapping[str, str]:
    words: Mapping[str, str] = source.status_map if about == MappedField.STATUS else source.severity_map
    return words

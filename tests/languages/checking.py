"""What is wrong with a catalogue."""

import re
from collections import Counter
from collections.abc import Collection, Iterator

from babel.messages.catalog import Catalog, Message

from tests.languages.catalogues import strings

PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|%[sd]|\{\w*\}|</?[a-zA-Z][^>]*>")
WORD = re.compile(r"[^\W\d_]")


def faults(
    catalogue: Catalog, extraction: Catalog, *, copies: Collection[str] = (), awaited: Collection[str] = ()
) -> Iterator[str]:
    """Yield what differs from a complete catalogue of the extraction.

    `copies` may be said as in English; `awaited` may have no translation yet.
    """
    known = {_key(message): message for message in catalogue if message.id}
    wanted = {_key(message): message for message in extraction if message.id}
    yield from (f"no longer said: {text!r}" for _context, text in known.keys() - wanted.keys())
    copied = set()
    for key, message in wanted.items():
        entry = known.get(key)
        if entry is None or not any(strings(entry)):
            if key[1] not in awaited:
                yield f"missing: {key[1]!r}"
            continue
        if is_copy(entry):
            copied.add(key[1])
        yield from (f"{fault}: {key[1]!r}" for fault in _faults_of(entry, message, catalogue, copies))
    yield from (f"in same.txt, but translated or no longer said: {text!r}" for text in set(copies) - copied)


def is_copy(message: Message) -> bool:
    """Return whether the English stands for a translation; texts without words are the same everywhere."""
    return all(_has_words(text) for text in _texts(message)) and set(strings(message)) <= set(_texts(message))


def _faults_of(entry: Message, wanted: Message, catalogue: Catalog, copies: Collection[str]) -> Iterator[str]:
    said = strings(entry)
    if entry.fuzzy:
        yield "fuzzy"
    if _texts(entry) != _texts(wanted):
        yield "another plural"
    if not all(said) or len(said) != (catalogue.num_plurals if len(_texts(wanted)) > 1 else 1):
        yield "plural forms"
    if is_copy(entry) and entry_text(entry) not in copies:
        yield "not translated"
    expected = [_placeholders(text) for text in _texts(wanted)]
    if any(_placeholders(string) not in expected for string in said):
        yield "placeholders"
    if any(_ends(string) != _ends(_texts(wanted)[0]) for string in said):
        yield "line breaks at the ends"


def entry_text(message: Message) -> str:
    """Return the English text that a message is known by."""
    return _texts(message)[0]


def _key(message: Message) -> tuple[str, str]:
    return message.context or "", entry_text(message)


def _texts(message: Message) -> list[str]:
    return list(message.id) if isinstance(message.id, tuple | list) else [message.id]


def _has_words(text: str) -> bool:
    return bool(WORD.search(PLACEHOLDER.sub("", text)))


def _placeholders(text: str) -> Counter[str]:
    """Return what the program fills in, and a mark for each sign that it would stumble over."""
    found = Counter(PLACEHOLDER.findall(text))
    found["%"] = PLACEHOLDER.sub("", text).count("%")
    return +found


def _ends(text: str) -> tuple[bool, bool]:
    return text.startswith("\n"), text.endswith("\n")

"""Sentences that the database keeps in English, and pages and messages show in the reader's language.

A place's name says what fills it: `why…` another sentence, `list…` several, `people…` names with a sentence in
brackets, `day…` and `hours…` words such as Mon, `age…` a duration, `severity…` a severity; others stay as they are.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from core.severity import SEVERITY_OF_WORD
from core.text.languages import STORED

PLACE = re.compile(r"%\((\w+)\)s")
DAY = re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
UNIT = re.compile(r"(\d+) (d|h|min|s)\b")
SEMICOLON = re.compile("; ")
AFTER_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z0-9])")
BRACKETS = re.compile(r"(?<= \()[^()]+(?=\))")

_known: list["Sentence"] = []


class Sentence:
    """An English sentence with places, `%(name)s`; marked for translation by being one.

    A part stands only within others.
    """

    def __init__(self, text: str, *, is_part: bool = False) -> None:
        self.text, self.is_part = text, is_part
        pieces = PLACE.split(text)
        written = [f"(?P<{piece}>.+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)]
        self.pattern = re.compile("".join(written).replace("%%", "%"))
        self.letters = sum(len(piece) for piece in pieces[::2])
        _known.append(self)
        _read.cache_clear()

    def __str__(self) -> str:
        return self.text

    def say(self, **values: object) -> str:
        """Return it in English, to be stored."""
        return self.text % values

    def translated(self, values: dict[str, str]) -> str:
        return translation.gettext(self.text) % {name: _filled(name, value) for name, value in values.items()}


def shown(text: str) -> str:
    """Return a stored sentence in the active language; what is no sentence of ours stays as it is."""
    if not text or translation.get_language() == STORED:
        return text
    return "\n".join(_line(line, is_within=False) for line in text.split("\n"))


def _line(text: str, *, is_within: bool) -> str:
    for mark, joint in ((SEMICOLON, "; "), (AFTER_SENTENCE, " ")):
        parts = mark.split(text)
        if len(parts) > 1 and all(_read(part, is_within) for part in parts):
            return joint.join(_line(part, is_within=is_within) for part in parts)
    found = _read(text, is_within)
    return found[0].translated(found[1]) if found else text


@lru_cache(maxsize=4096)
def _read(text: str, is_within: bool) -> tuple[Sentence, dict[str, str]] | None:
    """Return the sentence with the most letters of its own that says a text, and what fills its places."""
    for words in (text, f"{text[:1].upper()}{text[1:]}"):  # within another, a sentence begins small
        matches = [
            (one, match)
            for one in _known
            if (is_within or not one.is_part) and (match := one.pattern.fullmatch(words)) is not None
        ]
        if matches:
            best, match = max(matches, key=lambda pair: pair[0].letters)
            return best, match.groupdict()
    return None


def _filled(name: str, value: str) -> str:
    for kind, fill in FILLINGS.items():
        if name.startswith(kind):
            return str(fill(value))
    return value


def _within(text: str) -> str:
    return _line(text, is_within=True)


def _each(text: str) -> str:
    return ", ".join(map(_within, text.split(", ")))


def _people(text: str) -> str:
    return BRACKETS.sub(lambda match: _within(match[0]), text)


def days(text: str) -> str:
    """Return a text with the names of days, such as Mon, in the active language."""
    words = {
        "Mon": gettext("Mon"),
        "Tue": gettext("Tue"),
        "Wed": gettext("Wed"),
        "Thu": gettext("Thu"),
        "Fri": gettext("Fri"),
        "Sat": gettext("Sat"),
        "Sun": gettext("Sun"),
    }
    return DAY.sub(lambda match: words[match[1]], text)


def age(text: str) -> str:
    """Return a duration such as 3 h 12 min in the active language."""
    units: dict[str, tuple[str, str]] = {
        "d": (gettext("%(days)d d"), "days"),
        "h": (gettext("%(hours)d h"), "hours"),
        "min": (gettext("%(minutes)d min"), "minutes"),
        "s": (gettext("%(seconds)d s"), "seconds"),
    }
    return UNIT.sub(lambda match: units[match[2]][0] % {units[match[2]][1]: int(match[1])}, text)


def _severity(word: str) -> str:
    return str(SEVERITY_OF_WORD[word].label) if word in SEVERITY_OF_WORD else word


FILLINGS: dict[str, Callable[[str], Any]] = {
    "why": _within,
    "list": _each,
    "people": _people,
    "day": days,
    "hours": days,
    "age": age,
    "severity": _severity,
}

"""Valid names, and when two are the same."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from core.text.normalizing import normalized

# Invisible characters that turn or hide text (joiners apart).
JOINERS = "\u200c\u200d"
HIDDEN = frozenset(
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\u2800\u3164"
    "\ufeff\uffa0\ufff9\ufffa\ufffb"
)
# Scripts that need joiners, and pictures.
JOINED = (
    (0x0600, 0x109F),
    (0x1700, 0x18AF),
    (0x1900, 0x1CFF),
    (0x2190, 0x2BFF),
    (0xA800, 0xABFF),
    (0xFB50, 0xFDFF),
    (0xFE0F, 0xFE0F),
    (0xFE70, 0xFEFE),
    (0x10A00, 0x10F6F),
    (0x11000, 0x11FFF),
    (0x1E900, 0x1E95F),
    (0x1F000, 0x1FAFF),
)
SHOW_AS = (0xFE00, 0xFE0F), (0xE0100, 0xE01EF), (0x180B, 0x180D), (0x180F, 0x180F)  # variation selectors
TAGS = (0xE0020, 0xE007F)  # in regional flags, after the black flag
BLACK_FLAG = "\U0001f3f4"

LINK = re.compile(r"\b[a-z][a-z0-9+.-]*:[/\\]{2}|\b(mailto|tel|javascript|data):|\bwww\.", re.IGNORECASE)
E_MAIL = re.compile(r"[^\s@<>]@[^\s@<>]+\.[^\s@<>.]{2,}")
DOT = "[.\u3002\uff0e\uff61]"
HOST = re.compile(
    rf"[^\W_]{DOT}(?:xn--[a-z0-9-]+|[a-z]{{2,}})(?![\w-]|{DOT}\w)|\w{DOT}\w+/|\d+\.\d+\.\d+\.\d+", re.IGNORECASE
)
INITIALS = re.compile(r"\b(?:[^\W\d_a-z]\.)+[A-Z][a-z]+\b(?!/)")

BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")

LONGEST = 1_000  # above every field's own limit
TOO_LONG = f"A name has at most {LONGEST:,} characters."
ONE_LINE = "A name must be a single line."
UNSEEN = "A name cannot contain control characters, invisible characters or characters that change text direction."
EMPTY = "A name needs a visible character."
NO_LINK = "A name cannot contain a link or an email address."
NO_HOST = "A person's name cannot contain a web address. Put a space after a full stop, as in J. R. Hartley."


def normal(text: str) -> str:
    """Return the stored form: NFC, stripped."""
    return normalized("NFC", text).strip()


def refuse_bad_name(text: str) -> None:
    """Raise ValidationError for a deceptive or unsafe name."""
    if len(text) > LONGEST:  # the patterns take quadratic time
        raise ValidationError(TOO_LONG, code="max_length")
    text = normal(text)
    if len(text.splitlines()) > 1:
        raise ValidationError(ONE_LINE, code="name_lines")
    if any(_is_unseen(text)):
        raise ValidationError(UNSEEN, code="name_unseen")
    if text and not any(unicodedata.category(mark)[0] in "LNPS" for mark in text):
        raise ValidationError(EMPTY, code="name_empty")
    plain = normalized("NFKC", text)
    if LINK.search(plain) or E_MAIL.search(plain):
        raise ValidationError(NO_LINK, code="name_link")


def refuse_bad_person_name(text: str) -> None:
    """Raise ValidationError; also for host names, which readers would trust."""
    refuse_bad_name(text)
    if HOST.search(INITIALS.sub("", normalized("NFKC", normal(text)))):
        raise ValidationError(NO_HOST, code="name_link")


def one_line(text: str) -> str:
    return BREAKS.sub(" ", text).strip()


def tidied(text: str) -> str:
    """Return a foreign name in one line, without invisible characters."""
    lines = normal(" ".join(text.split()))
    return normal("".join(mark for mark, is_unseen in zip(lines, _is_unseen(lines), strict=True) if not is_unseen))


def _is_unseen(text: str) -> Iterator[bool]:
    before = ""  # the last visible one, or a mark on it
    for mark, after in pairwise([*text, ""]):
        code, category = ord(mark), unicodedata.category(mark)
        if mark in JOINERS:
            yield not (_is_in(before, JOINED) and _is_in(after, JOINED))
        elif _is_in(mark, SHOW_AS):
            yield not before or _is_in(before, SHOW_AS) or before in JOINERS or (before.isascii() and before.isalpha())
        elif _is_in(mark, (TAGS,)):
            yield not (before == BLACK_FLAG or _is_in(before, (TAGS,)))
        else:
            is_invisible = category == "Cf" and not _is_sign(code)
            yield mark in HIDDEN or category in ("Cc", "Cs", "Zl", "Zp") or is_invisible
        before = mark


def _is_in(mark: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return bool(mark) and any(first <= ord(mark) <= last for first, last in ranges)


def _is_sign(code: int) -> bool:
    return (0x0600 <= code <= 0x08E2 and code != 0x061C) or code in (0x110BD, 0x110CD) or 0x13430 <= code <= 0x1345F


if TYPE_CHECKING:
    Text = models.CharField[str, str]
else:
    Text = models.CharField


class NameField(Text):
    default_validators = [refuse_bad_name]

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = normal(value)
            setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return normal(value) if isinstance(value, str) else value


class PersonNameField(NameField):
    default_validators = [refuse_bad_person_name]


def validate_unique_ci(row: models.Model, *fields: str) -> None:
    """Raise ValidationError if another row differs only by case.

    MySQL's collations do this, SQLite's do not; for small tables.
    """
    others = type(row)._base_manager.exclude(pk=row.pk)
    errors = {
        name: row.unique_error_message(type(row), (name,))
        for name in fields
        if _folded(getattr(row, name)) in map(_folded, others.values_list(name, flat=True))
    }
    if errors:
        raise ValidationError(errors)


def _folded(value: object) -> str:
    return normal(str(value)).casefold()

"""The names files come with: cleaned before they are stored, and fitted to the content before they are sent."""

import re
import unicodedata

from incidents.attachments.kinds import EXTENSIONS_SERVED_AS

MAX_NAME = 200  # characters
FALLBACK = "file"
# What makes a name read differently from what it is: direction marks and overrides, invisible spaces.
INVISIBLE = frozenset(
    "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


def clean_name(raw: str) -> str:
    """The name without folders, control characters and tricks of direction; at most 200 characters, never empty."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", raw))[-1]
    kept = "".join(" " if mark.isspace() else mark for mark in last if mark.isspace() or _is_shown(mark))
    name = " ".join(kept.split()).lstrip(".").strip(". ")
    return _shortened(name) or FALLBACK


def _is_shown(mark: str) -> bool:
    return mark not in INVISIBLE and unicodedata.category(mark) not in ("Cc", "Cs", "Cn")


def _shortened(name: str) -> str:
    if len(name) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        return name[:MAX_NAME].strip()
    return f"{stem[: MAX_NAME - len(extension) - 1].strip()}.{extension}"


def served_name(name: str, media_type: str) -> str:
    """The name to save under: `report.html` that is text is saved as `report.html.txt`, and opens as text."""
    extensions = EXTENSIONS_SERVED_AS.get(media_type, ())
    _, dot, extension = name.rpartition(".")
    if not extensions or (dot and extension.lower() in extensions):
        return name
    return f"{name}.{extensions[0]}"

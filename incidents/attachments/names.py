"""The names files come with: cleaned before they are stored, and fitted to the content before they are sent."""

import re
import unicodedata

from core.text.names import JOINERS
from core.text.normalizing import normalized
from incidents.attachments.kinds import EXTENSIONS_SERVED_AS

MAX_NAME = 200  # characters
FALLBACK = "file"


def clean_name(raw: str) -> str:
    """The name without folders, control characters and tricks of direction; at most 200 characters, never empty.

    A name of which nothing is left that can be seen is `file`.
    """
    last = re.split(r"[/\\]", normalized("NFC", raw))[-1]
    kept = "".join(" " if mark.isspace() else mark for mark in last if mark.isspace() or _is_shown(mark))
    name = " ".join(kept.split()).lstrip(".").strip(". ")
    is_readable = any(mark not in JOINERS and unicodedata.category(mark)[0] not in "MZ" for mark in name)
    return (_shortened(name) if is_readable else "") or FALLBACK


def _is_shown(mark: str) -> bool:
    """Not what controls, or makes a name read differently from what it is: direction marks, invisible signs."""
    return mark in JOINERS or unicodedata.category(mark) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


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

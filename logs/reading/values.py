"""Values from strangers, never an exception."""

import datetime as dt
import re
from typing import Any

from logs.normalising import dumped

_LATEST_SECONDS = 253_402_300_799
_TRACE = re.compile(r"[0-9a-fA-F]{16,32}", re.ASCII)
_NO_TRACE = frozenset("0")


def from_nanoseconds(value: int) -> dt.datetime | None:
    """Return the time after 1970; None for none."""
    seconds, rest = divmod(value, 1_000_000_000)
    if value <= 0 or seconds > _LATEST_SECONDS:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=rest // 1000)


def text(value: Any) -> str:
    """Return any JSON value as text; "" for null."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        return dumped(value).decode()
    return str(value)


def name(value: Any) -> str:
    """Return a name: a word, or an object's name."""
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "hostname", "host", "id") if value.get(key)), "")
    return text(value).strip() if isinstance(value, (str, int)) else ""


def trace_of(value: Any) -> str:
    """Return 32 (or 16) lower-case hex digits, or ""."""
    said = value.replace("-", "") if isinstance(value, str) else ""
    if not _TRACE.fullmatch(said) or _NO_TRACE.issuperset(said):
        return ""
    return said.lower()

"""Values by plain names, wherever they are nested."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from alerts.reading.values import text
from intake.requests import IntakeError

MOST_NAMES = 2_000
LONGEST_NAME = 100


def plain_name(name: str) -> str:
    """Return a name without case and separators: alertName and ALERT_NAME are one."""
    return _plain(name) if len(name) <= LONGEST_NAME else name


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return re.sub(r"[-_\s\ufeff]", "", name).lower()


def plain_texts(body: Any, unset: str = "") -> dict[str, str]:
    """Return an object's values, nested ones too, as texts by plain names: {"host": {"name": "db-3"}} gives hostname.

    Lists are joined by commas; values matching `unset` are left out; of twins the first stays. Raises IntakeError past
    MOST_NAMES.
    """
    if not isinstance(body, dict):
        raise IntakeError("The body must be an object or a form; this is neither.")
    found: dict[str, str] = {}
    empty = re.compile(unset)
    waiting: list[tuple[str, Any]] = [("", body)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [
                (path + plain_name(text(name)[:LONGEST_NAME]).replace(".", ""), inner)
                for name, inner in reversed(value.items())
            ]
        elif (said := _listed(value)) and not empty.fullmatch(said):
            found.setdefault(path, said)
        if len(found) + len(waiting) > MOST_NAMES:
            raise IntakeError(f"One message holds at most {MOST_NAMES:,} values.")
    return found


def _listed(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value):
        return ", ".join(filter(None, map(text, value)))
    return text(value)


def said_as(found: Mapping[str, str], *names: str) -> str:
    """Return the first value by these names, or ""."""
    return next((found[name] for name in names if name in found), "")

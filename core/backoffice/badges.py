import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.backoffice.base import exactly
from core.severity import Severity

MAX_VALUE_LENGTH = 2000
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def severity_badge(severity: int) -> SafeString:
    """Return the severity as a coloured word."""
    found = Severity(severity)
    return format_html('<span class="ir-badge ir-severity-{}">{}</span>', found.word, found.label)


def span(seconds: float) -> str:
    """Return a duration in its two largest units: "3 d 4 h"."""
    left, parts = int(abs(seconds)), []
    for name, size in UNITS:
        if left >= size:
            parts.append(f"{left // size} {name}")
            left %= size
    return " ".join(parts[:2]) or "under a minute"


def ago(moment: dt.datetime | None, now: dt.datetime | None = None) -> SafeString | str:
    """Return how long ago, with the time as tooltip; "never" for none."""
    if moment is None:
        return "never"
    seconds = ((now or timezone.now()) - moment).total_seconds()
    words = "just now" if -60 < seconds < 60 else f"{span(seconds)} ago" if seconds > 0 else f"in {span(seconds)}"
    return format_html(
        '<time class="ir-nowrap" datetime="{}" title="{}">{}</time>', moment.isoformat(), exactly(moment), words
    )


def cut(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values, long ones cut."""
    return [(name, str(value)[:MAX_VALUE_LENGTH]) for name, value in sorted(values.items())]

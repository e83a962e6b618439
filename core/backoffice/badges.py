from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.severity import Severity

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

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.backoffice.base import exactly
from core.severity import Severity

MAX_VALUE_LENGTH = 2000
UNITS = ((_("%(days)d d"), "days", 86_400), (_("%(hours)d h"), "hours", 3_600), (_("%(minutes)d min"), "minutes", 60))


def severity_badge(severity: int) -> SafeString:
    """Return the severity as a coloured word."""
    found = Severity(severity)
    return format_html('<span class="ir-badge ir-severity-{}">{}</span>', found.word, found.label)


def span(seconds: float) -> str:
    """Return a duration in its two largest units: "3 d 4 h"."""
    left, parts = int(abs(seconds)), []
    for text, name, size in UNITS:
        if left >= size:
            parts.append(str(text) % {name: left // size})
            left %= size
    return " ".join(parts[:2]) or gettext("under a minute")


def ago(moment: dt.datetime | None, now: dt.datetime | None = None) -> SafeString | str:
    """Return how long ago, with the time as tooltip; "never" for none."""
    if moment is None:
        return gettext("never")
    seconds = ((now or timezone.now()) - moment).total_seconds()
    return format_html(
        '<time class="ir-nowrap" datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        exactly(moment),
        _distance(seconds),
    )


def _distance(seconds: float) -> str:
    if -60 < seconds < 60:
        return gettext("just now")
    if seconds > 0:
        return gettext("%(span)s ago") % {"span": span(seconds)}
    return gettext("in %(span)s") % {"span": span(seconds)}


def cut(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return names and values, long ones cut."""
    return [(name, str(value)[:MAX_VALUE_LENGTH]) for name, value in sorted(values.items())]

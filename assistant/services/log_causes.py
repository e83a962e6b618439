"""Hypotheses from log lines: templates that are new or surged, and counts that are out of the ordinary."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from statistics import median

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assistant.anomalies import UNUSUAL, Line, Surge, robust_z, surging
from assistant.services.gathering import Known
from assistant.suggestions import Cause, Evidence
from assistant.vocabulary import EvidenceKind
from logs.models import LogEntry
from logs.services.density import BUCKETS, density
from logs.vocabulary import Level

AROUND = dt.timedelta(minutes=10)  # before and after the start
HISTORY = dt.timedelta(hours=6)
LEVELS = (Level.CRITICAL, Level.ERROR, Level.WARNING)
LINES, HISTORY_LINES = 120, 300  # of each service and level, at most; the rest is estimated from the time they took
MOST_SERVICES = 3
SHOWN = 200  # characters
COUNTED = dt.timedelta(minutes=5)  # a bucket of counts
LAST = 4  # buckets, around the start
MOST_SURE, MOST_SURE_WITHOUT, MOST_SURE_OF_COUNTS = 0.75, 0.35, 0.5


def log_causes(known: Known) -> Iterator[Cause]:
    """Yield what the logs of the services concerned say; nothing where no service is known or logs."""
    start = known.start
    around: list[Line] = []
    before: list[Line] = []
    for service in known.service_names:
        found = [*_lines(service, start - AROUND, start, LINES), *_lines(service, start, start + AROUND, LINES)]
        around += found
        if found:
            before += _lines(service, start - HISTORY, start - AROUND, HISTORY_LINES)
    for surge in surging(before, around, times=(HISTORY - AROUND) / (2 * AROUND)):
        yield _from_surge(surge, _logged_before(surge.first.service, start - AROUND))
    logging = list(dict.fromkeys(line.service for line in around))[:MOST_SERVICES]
    for service in logging:
        yield from _from_counts(service, start, next(line for line in around if line.service == service))


def _lines(service: str, since: dt.datetime, until: dt.datetime, most: int) -> list[Line]:
    """Return the latest lines of each level, each counting for those that were not read."""
    found: list[Line] = []
    for level in LEVELS:
        rows = LogEntry.objects.filter(service=service, level=level, timestamp__gte=since, timestamp__lt=until)
        read = list(rows.order_by("-timestamp").values_list("pk", "message", "timestamp")[:most])
        weight = 1.0
        if len(read) == most:
            weight = (until - since) / max(until - read[-1][2], dt.timedelta(milliseconds=1))
        found += [Line(pk, message, level, service, weight) for pk, message, _at in read]
    return found


def _logged_before(service: str, until: dt.datetime) -> bool:
    """Return whether the hours before are known at all: then, what is new tells more."""
    known = LogEntry.objects.filter(service=service, timestamp__gte=until - HISTORY, timestamp__lt=until)
    return any(known.filter(level=level).exists() for level in Level)


def _from_surge(surge: Surge, has_history: bool) -> Cause:
    count = round(surge.count)
    facts = {
        "template": surge.template[:SHOWN],
        "count": count,
        "service": surge.first.service,
        "ratio": round(surge.ratio),
    }
    if surge.is_new:
        text = ngettext(
            "%(service)s logs what it did not log in the hours before, %(count)d time: “%(template)s”",
            "%(service)s logs what it did not log in the hours before, %(count)d times: “%(template)s”",
            count,
        )
    else:
        text = _("%(service)s logs “%(template)s” %(ratio)d times as often as in the hours before")
    name = hashlib.sha256(f"{surge.first.service}\0{surge.key}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    evidence = (
        Evidence(EvidenceKind.TEMPLATE, surge.first.id, surge.template[:SHOWN]),
        Evidence(EvidenceKind.LOG, surge.first.id, surge.first.message[:SHOWN]),
    )
    sure = MOST_SURE if has_history else MOST_SURE_WITHOUT
    return Cause(f"cause-template-{name}", text % facts, round(sure * surge.score, 3), evidence)


def _from_counts(service: str, start: dt.datetime, line: Line) -> Iterator[Cause]:
    """Yield how unusual the number of warnings and errors around the start was."""
    since = start - (BUCKETS - LAST // 2) * COUNTED
    counts = [bucket.count for bucket in density(_FILTERS | {"service": service}, since, since + BUCKETS * COUNTED)]
    unusual = max(robust_z(counts[:-LAST], count) for count in counts[-LAST:])
    if unusual < UNUSUAL:
        return
    facts = {"service": service, "count": max(counts[-LAST:]), "usual": round(median(counts[:-LAST]))}
    text = _("%(service)s wrote %(count)d warnings and errors within five minutes, usually %(usual)d") % facts
    name = hashlib.sha256(service.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    confidence = round(min(MOST_SURE_OF_COUNTS, 0.2 + unusual / 100), 3)
    yield Cause(f"cause-anomaly-{name}", text, confidence, (Evidence(EvidenceKind.LOG, line.id, line.message[:SHOWN]),))


_FILTERS = {"level_min": Level.WARNING.word}

"""Hypotheses from log lines: templates that are new or surged, and counts that are out of the ordinary."""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assistant.anomalies import UNUSUAL, Line, Surge, robust_z, surging
from assistant.services.gathering import Known
from assistant.suggestions import Cause, Evidence
from assistant.vocabulary import EvidenceKind
from logs.models import LogEntry
from logs.vocabulary import Level

AROUND = dt.timedelta(minutes=10)  # before and after the start
HISTORY = dt.timedelta(hours=6)
LEVELS = (Level.CRITICAL, Level.ERROR, Level.WARNING)
LINES, HISTORY_LINES = 120, 300  # of each service and level, at most; the rest is estimated from the time they took
MOST_SERVICES = 3
SHOWN = 200  # characters
COUNTED = dt.timedelta(minutes=5)  # a bucket of counts; shorter where the lines read reach less far back
BUCKETS, SHORTEST = 20, dt.timedelta(seconds=1)
MOST_SURE, MOST_SURE_WITHOUT, MOST_SURE_OF_COUNTS = 0.75, 0.35, 0.5


@dataclass(frozen=True)
class _Read:
    """Lines of a service between two times, and since when all of them were read."""

    lines: list[Line]
    times: list[dt.datetime]
    complete_since: dt.datetime


def log_causes(known: Known) -> Iterator[Cause]:
    """Yield what the logs of the services concerned say; nothing where no service is known or logs."""
    start = known.start
    around: list[Line] = []
    before: list[Line] = []
    unusual: list[Cause] = []
    for service in known.service_names:
        halves = [_lines(service, since, since + AROUND, LINES) for since in (start - AROUND, start)]
        if any(half.lines for half in halves):
            history = _lines(service, start - HISTORY, start - AROUND, HISTORY_LINES)
            around += [line for half in halves for line in half.lines]
            before += history.lines
            unusual += _from_counts(service, history, halves, until=start - AROUND)
    for surge in surging(before, around, times=(HISTORY - AROUND) / (2 * AROUND)):
        yield _from_surge(surge, _logged_before(surge.first.service, start - AROUND))
    yield from unusual[:MOST_SERVICES]


def _lines(service: str, since: dt.datetime, until: dt.datetime, most: int) -> _Read:
    """Return the latest lines of each level, each counting for those that were not read."""
    found: list[Line] = []
    times: list[dt.datetime] = []
    complete_since = since
    for level in LEVELS:
        rows = LogEntry.objects.filter(service=service, level=level, timestamp__gte=since, timestamp__lt=until)
        read = list(rows.order_by("-timestamp").values_list("pk", "message", "timestamp")[:most])
        weight = 1.0
        if len(read) == most:
            oldest = read[-1][2]
            weight = (until - since) / max(until - oldest, dt.timedelta(milliseconds=1))
            complete_since = max(complete_since, oldest)
        found += [Line(pk, message, level, service, weight) for pk, message, _at in read]
        times += [at for _pk, _message, at in read]
    return _Read(found, times, complete_since)


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


def _from_counts(service: str, history: _Read, halves: Sequence[_Read], *, until: dt.datetime) -> Iterator[Cause]:
    """Yield how unusual the number of warnings and errors around the start was."""
    span = until - history.complete_since
    step = min(COUNTED, span / BUCKETS)
    if step < SHORTEST:
        return
    usual = [0] * (span // step)
    for at in history.times:
        if 0 <= (place := (at - history.complete_since) // step) < len(usual):
            usual[place] += 1
    count = max(sum(line.weight for line in half.lines) * (step / AROUND) for half in halves)
    unusual = robust_z(usual, count)
    if unusual < UNUSUAL:
        return
    by_hour = dt.timedelta(hours=1) / step
    facts = {"service": service, "count": round(count * by_hour), "usual": round(median(usual) * by_hour)}
    text = _("%(service)s wrote warnings and errors at a rate of %(count)d an hour, usually %(usual)d") % facts
    name = hashlib.sha256(service.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    line = min((line for half in halves for line in half.lines), key=lambda line: line.id)
    confidence = round(min(MOST_SURE_OF_COUNTS, 0.2 + unusual / 100), 3)
    yield Cause(f"cause-anomaly-{name}", text, confidence, (Evidence(EvidenceKind.LOG, line.id, line.message[:SHOWN]),))

"""Builders for tests."""

import datetime as dt
from typing import Any

from django.utils import timezone

from alerts.tests.factories import make_source
from intake.models import Source
from intake.vocabulary import LOGS
from logs.lines import Line
from logs.models import LogEntry
from logs.services.storing import store


def make_log_source(**fields: Any) -> Source:
    """A source of the kind `logs`."""
    return make_source(kind=LOGS, **fields)


def make_lines(*lines: Line, source: Source | None = None, at: dt.datetime | None = None) -> list[LogEntry]:
    """Store lines that were received at a time; their rows, in the order they came."""
    last = LogEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    store(lines, source, at or timezone.now())
    return list(LogEntry.objects.filter(pk__gt=last).order_by("id"))

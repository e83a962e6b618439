"""Builders for tests of detection rules."""

import datetime as dt
from typing import Any

from django.utils import timezone

from logs.lines import Line
from logs.models import DetectionRule
from logs.services import detecting
from logs.services.rules import save_rule
from logs.services.storing import store
from logs.vocabulary import Level

START = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)


def after(seconds: float) -> dt.datetime:
    """A moment so long after START."""
    return START + dt.timedelta(seconds=seconds)


def make_rule(**fields: Any) -> DetectionRule:
    """A rule for errors: two within a minute, looked at every minute, made at START."""
    facts = {"level": Level.ERROR, "threshold": 2, "window_seconds": 60, "check_interval_seconds": 60, **fields}
    rule = DetectionRule(**{"name": f"Rule {DetectionRule.objects.count()}", "severity": "high", **facts})
    rule.full_clean(exclude=["source"])
    return save_rule(rule, now=START)


def write(*seconds: float, message: str = "it failed", level: Level = Level.ERROR, **fields: Any) -> None:
    """Store a line at each of the seconds after START, in one delivery."""
    detecting.on_lines(store([Line(message, after(one), level, **fields) for one in seconds], None, timezone.now()))

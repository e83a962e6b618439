"""The numbered rules of docs/alerts.md, and the mark of a test that holds one of them."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from alerts.models import Alert
from alerts.updates import AlertUpdate
from incidents.models import Incident
from incidents.tests.factories import MONDAY

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alerts.md"
RULES = {int(number): text for number, text in re.findall(r"^- \*\*R(\d+)\*\* (.+)$", PAGE.read_text("utf-8"), re.M)}
COVERED: set[int] = set()

Test = TypeVar("Test", bound=Callable[..., Any])


def documented(*numbers: int) -> Callable[[Test], Test]:
    """Marks a test as the one of these rules; their sentences are what a failure is told by."""

    def mark(test: Test) -> Test:
        COVERED.update(numbers)
        test.__doc__ = " ".join(f"R{number}: {RULES[number]}" for number in numbers)
        return test

    return mark


def after(minutes: float) -> dt.datetime:
    """So many minutes after the moment at which all these tests begin."""
    return MONDAY + dt.timedelta(minutes=minutes)


def incident_of(alert: Alert) -> Incident | None:
    """Its incident as it is now."""
    return Alert.objects.select_related("incident").get(pk=alert.pk).incident


def statuses() -> list[str]:
    """The statuses of all incidents, oldest first."""
    return list(Incident.objects.order_by("pk").values_list("status", flat=True))


def make_update(fingerprint: str = "a", **facts: Any) -> AlertUpdate:
    """One that fires, unless it says otherwise."""
    return AlertUpdate(**{"title": f"{fingerprint} is broken", "fingerprint": fingerprint, **facts})

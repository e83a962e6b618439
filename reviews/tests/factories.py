"""Builders for tests."""

import datetime as dt
from itertools import count
from typing import Any

from core.severity import Severity
from incidents.models import Incident
from incidents.services import feed
from incidents.tests.factories import make_incident
from reviews.models import ActionItem, Review, ReviewRule
from reviews.services import drafting, editing, items, rules
from users.models import User
from users.tests.factories import make_admin

_numbers = count(1)


def make_review(incident: Incident | None = None, *, by: User | None = None, owner: User | None = None) -> Review:
    """A review of a new incident, or of this one, as the service drafts it."""
    return drafting.start_review(incident or make_incident(), by=by or make_admin(), owner=owner)


def make_rule(**fields: Any) -> ReviewRule:
    """A rule for high incidents of any team, within five days."""
    number = next(_numbers)
    return ReviewRule.objects.create(**{"name": f"Rule {number}", "min_severity": Severity.HIGH, **fields})


def make_item(review: Review, *, by: User | None = None, **fields: Any) -> ActionItem:
    return items.add_item(review, by=by or make_admin(), **{"title": "Renew the certificate by a job", **fields})


def complete(review: Review, *, by: User | None = None) -> Review:
    """Write what a completed review needs, and complete it."""
    by = by or make_admin()
    editing.edit_review(review, by=by, changes={"summary": "A certificate expired."})
    editing.add_factor(review, by=by, text="Nobody watched its end.")
    editing.move_review(review, by=by, state="in_review")
    return editing.move_review(review, by=by, state="completed")


def read_feed() -> None:
    """Make the reviews that what happened requires."""
    while feed.assign_places():
        pass
    while rules.require_reviews():
        pass


def day(number: int, hour: int = 12) -> dt.datetime:
    """A time in March 2026; the 2nd is a Monday."""
    return dt.datetime(2026, 3, number, hour, tzinfo=dt.UTC)

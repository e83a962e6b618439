"""Jobs of reviews: rows that are due, in any number of processes."""

import datetime as dt

from core.server.jobs import Job, until_done
from reviews.services import reminding, rules

MAX_BATCHES = 50  # per run


def require_reviews(now: dt.datetime) -> int:
    """Make the reviews that rules require."""
    return until_done(rules.require_reviews, rules.BATCH, MAX_BATCHES)


def remind_of_reviews(now: dt.datetime) -> int:
    """Remind of reviews and of action items, and report the overdue ones each week."""
    reviews = until_done(lambda: reminding.remind_of_reviews(now), reminding.BATCH, MAX_BATCHES)
    items = until_done(lambda: reminding.remind(now), reminding.BATCH, MAX_BATCHES)
    return reviews + items + reminding.report_overdue(now)


JOBS = (Job("require_reviews", require_reviews, 10), Job("remind_of_reviews", remind_of_reviews, 60))

"""Jobs over due rows, safe in any number of processes; each returns how many it did."""

import datetime as dt

import structlog

from core.db.transactions import is_database_unavailable
from core.server.jobs import Job, until_done
from incidents.attachments import storing
from incidents.models import Incident
from incidents.services import breaches, feed, tallies, thumbnails

log = structlog.get_logger(__name__)

BREACH_BATCH = 200


def assign_feed(now: dt.datetime) -> int:
    """Assign feed positions to committed events."""
    return until_done(feed.assign_places, feed.BATCH)


def mark_breaches(now: dt.datetime) -> int:
    """Mark missed targets."""
    due = Incident.objects.breach_due(now).order_by("next_breach_at").values_list("pk", flat=True)[:BREACH_BATCH]
    return sum(_mark_breach(pk, now) for pk in list(due))


def _mark_breach(pk: int, now: dt.datetime) -> bool:
    """Mark one incident; a faulty one must not block the others, but an unavailable database stops the job."""
    try:
        return breaches.mark_breach(pk, now)
    except Exception as error:
        if is_database_unavailable(error):
            raise
        log.error("breach_not_marked", incident=pk, exc_info=error)
        return False


def update_tallies(now: dt.datetime) -> int:
    return until_done(tallies.update_batch, tallies.BATCH)


def make_thumbnails(now: dt.datetime) -> int:
    return thumbnails.make_batch(now)


def sweep_files(now: dt.datetime) -> int:
    """Delete stored files without a row."""
    return storing.delete_orphans(now)


JOBS = (
    Job("assign_feed", assign_feed, 0.25, is_eager=True),
    Job("mark_breaches", mark_breaches, 5),
    Job("make_thumbnails", make_thumbnails, 1),
    Job("update_tallies", update_tallies, 1),
    Job("sweep_files", sweep_files, 24 * 3600),
)

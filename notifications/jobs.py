"""Background jobs of notifications, safe in any number of processes; each returns how many rows it did."""

import datetime as dt
from functools import partial

from core.db.clock import database_now
from core.server.jobs import Job
from incidents.services import feed
from notifications.channels.port import Channel, all_channels
from notifications.services import feeding, receipts, upkeep
from notifications.services.sending import sender_of

GROUP = "deliver"
MAX_BATCHES = 20
LOOK_SECONDS = 1.0  # jobs are woken when something is due at once; this is for what becomes due


def plan_deliveries(now: dt.datetime) -> int:
    """Plan what the feed's events are told."""
    total = 0
    for _ in range(MAX_BATCHES):
        done = feed.consume(feeding.CURSOR, feeding.plan_events)
        total += done
        if done < feed.BATCH:
            break
    return total


def chase_receipts(now: dt.datetime) -> int:
    """Go on where receipts are overdue."""
    return receipts.chase_receipts(database_now())


def tend_deliveries(now: dt.datetime) -> int:
    """Free deliveries that would be stuck."""
    moment = database_now()
    return upkeep.free_stranded(moment) + upkeep.fail_unknown(moment)


def prune_deliveries(now: dt.datetime) -> int:
    total = 0
    for _ in range(MAX_BATCHES):
        done = upkeep.prune(database_now())
        total += done
        if not done:
            break
    return total


def deliver(channel: Channel, now: dt.datetime) -> int:
    """Send what is due by one channel."""
    return sender_of(channel).run()


def delivery_jobs() -> list[Job]:
    """Return a job per channel: each has a thread of its own, so that none waits for another's provider."""
    return [
        Job(f"deliver_{channel.kind}", partial(deliver, channel), LOOK_SECONDS, GROUP, is_eager=True)
        for channel in all_channels()
    ]


JOBS = (
    Job("plan_deliveries", plan_deliveries, 1, is_eager=True),
    Job("chase_receipts", chase_receipts, 2, GROUP),
    Job("tend_deliveries", tend_deliveries, 15),
    Job("prune_deliveries", prune_deliveries, 600),
)

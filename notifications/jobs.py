"""Background jobs of notifications, safe in any number of processes; each returns how many rows it did."""

import datetime as dt
from functools import partial

from core.db.clock import database_now
from core.server.jobs import Job, until_done, wake
from incidents.services import feed
from notifications.channels.port import Channel, all_channels
from notifications.services import feeding, outbox, receipts, upkeep
from notifications.services.sending import sender_of

GROUP = "deliver"
LOOK_SECONDS = 1.0  # for what becomes due; what is due at once wakes its job
OWN_LOOK_SECONDS = 120.0  # of each channel, should it not be woken


def plan_deliveries(now: dt.datetime) -> int:
    return until_done(partial(feed.consume, feeding.CURSOR, feeding.plan_events), feed.BATCH)


def watch_deliveries(now: dt.datetime) -> int:
    """Wake the channels that have something due: one look for all of them."""
    wake(*sorted(f"deliver_{channel}" for channel in outbox.due_channels(database_now())))
    return 0


def chase_receipts(now: dt.datetime) -> int:
    return receipts.chase_receipts(database_now())


def tend_deliveries(now: dt.datetime) -> int:
    """Free deliveries that would be stuck."""
    moment = database_now()
    return upkeep.end_abandoned(moment) + upkeep.free_stranded(moment) + upkeep.fail_unknown(moment)


def prune_deliveries(now: dt.datetime) -> int:
    return until_done(lambda: upkeep.prune(database_now()), 1)


def deliver(channel: Channel, now: dt.datetime) -> int:
    """Send what is due by one channel."""
    return sender_of(channel).run()


def delivery_jobs() -> list[Job]:
    """Return a job per channel, so that none waits for another's provider."""
    return [
        Job(f"deliver_{channel.kind}", partial(deliver, channel), OWN_LOOK_SECONDS, GROUP, is_eager=True)
        for channel in all_channels()
    ]


JOBS = (
    Job("plan_deliveries", plan_deliveries, 10, gather=0.25),
    Job("watch_deliveries", watch_deliveries, LOOK_SECONDS, GROUP),
    Job("chase_receipts", chase_receipts, 10, GROUP),
    Job("tend_deliveries", tend_deliveries, 15),
    Job("prune_deliveries", prune_deliveries, 600),
)

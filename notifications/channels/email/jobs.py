"""Jobs of inbound mail; concurrency-safe."""

import datetime as dt

from django.conf import settings

from core.db.clock import database_now
from core.jobs import delete_in_batches
from core.server.jobs import Job
from notifications.channels.email.inbound.mailbox import poll_mailbox
from notifications.channels.email.inbound.processing import process_waiting
from notifications.channels.email.inbound.receiving import JOB
from notifications.models import InboundMail


def poll(now: dt.datetime) -> int:
    """Store new mails of the mailbox of IMAP_URL."""
    return poll_mailbox(database_now())


def process(now: dt.datetime) -> int:
    return process_waiting(database_now())


def prune_inbound_mail(now: dt.datetime) -> int:
    """Delete mails that were processed long ago, held ones too."""
    before = database_now() - dt.timedelta(days=settings.INBOUND_RETENTION_DAYS)
    return delete_in_batches(InboundMail.objects.filter(received_at__lt=before, due_at__isnull=True))


JOBS = (
    Job("poll_mailbox", poll, 30),
    Job(JOB, process, 10),
    Job("prune_inbound_mail", prune_inbound_mail, 3600),
)

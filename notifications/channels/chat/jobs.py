"""Background jobs of chats."""

import datetime as dt

from core.db.clock import database_now
from core.server.jobs import Job
from notifications.channels.chat import answering


def answer_chat(now: dt.datetime) -> int:
    return answering.answer_due()


def tell_chat(now: dt.datetime) -> int:
    """Send answers; apart, since chats may be slow."""
    return answering.tell_due()


def prune_chat(now: dt.datetime) -> int:
    return answering.prune(database_now())


CHAT_JOBS = (
    Job("answer_chat", answer_chat, 2, is_eager=True),
    Job("tell_chat", tell_chat, 15, "deliver", is_eager=True),
    Job("prune_chat", prune_chat, 3600),
)

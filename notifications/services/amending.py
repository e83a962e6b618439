"""Have the messages of a notice show what became of it."""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from core.db import rows
from core.db.clock import database_now
from core.text.languages import reading
from core.text.sentences import shown
from notifications.channels.port import channel_of
from notifications.models import Delivery
from notifications.services import outbox
from notifications.services.outbox import Target, key_of, new_delivery
from notifications.vocabulary import PENDING, SENT, Kind, Priority, State
from responders.notices import Notice

IN_FLIGHT = dt.timedelta(seconds=10)  # until what is being sent has an id to edit
CHANGED = ("content", "state", "due_at", "next_attempt_at", "gives_up_at", "leased_until")


def amend_notices(notices: Sequence[Notice]) -> None:
    """Edit what was sent, and rewrite what was not, in the transaction that amends them."""
    at = database_now()
    for notice in notices:
        sent = Delivery.objects.filter(incident=notice.incident, kind=Kind.NOTICE).exclude(priority=Priority.EDIT)
        for row in sent.select_related("user"):
            if row.content.get("notice") == notice.key:
                _amend(row, notice, at)


def _amend(row: Delivery, notice: Notice, at: dt.datetime) -> None:
    with reading(row.user.language if row.user is not None else settings.DEFAULT_LANGUAGE):
        texts = {"title": shown(str(notice.title)), "body": shown(str(notice.body)), "path": notice.path}
    is_waiting = row.state in PENDING and row.leased_until is None
    if is_waiting:
        row.content = {**row.content, **texts, "choices": []}
        rows.update(row, ["content"])
        return
    channel = channel_of(row.channel)
    if channel is not None and channel.can_edit and row.state in (*PENDING, *SENT):
        _edit(row, texts, at, at if row.state in SENT else at + IN_FLIGHT)


def _edit(row: Delivery, texts: dict[str, str], at: dt.datetime, due_at: dt.datetime) -> None:
    """Plan an edit, or the same one again with the newest texts."""
    place = f"edit:{row.pk}"
    target = Target(row.channel, place, row.recipient, row.user_id, row.method_id, row.room_id)
    edit = new_delivery(
        "edit",
        target,
        Kind.NOTICE,
        at=at,
        due_at=due_at,
        priority=Priority.EDIT,
        incident_id=row.incident_id,
        content={**texts, "edits_of": row.pk},
    )
    known = Delivery.objects.filter(key=key_of("edit", place)).first()
    if known is None:
        outbox.put([edit])
        return
    known.content, known.state = edit.content, State.WAITING
    known.due_at, known.next_attempt_at, known.gives_up_at = edit.due_at, edit.next_attempt_at, edit.gives_up_at
    known.leased_until = None
    rows.update(known, CHANGED)
    outbox.wake_channels([known])

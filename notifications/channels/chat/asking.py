"""Keeping what a chat asks, before it is done."""

import datetime as dt
import hashlib
from typing import Any

from django.db.models import Q

from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.server.jobs import wake
from notifications.channels.chat.asked import Asked
from notifications.models import ChatIntegration, ChatRequest

NOTED_EVERY = dt.timedelta(minutes=1)


@unit_of_work
def store(kind: str, asked: list[Asked]) -> None:
    """Store what is new of it, and have it done soon."""
    now = database_now()
    ChatRequest.objects.bulk_create([_row(one, now) for one in asked], ignore_conflicts=True)
    _note(kind, now, "received_at")
    wake("answer_chat")


@unit_of_work
def note_refusal(kind: str, reason: str) -> None:
    """Note that a request was refused, at most once a minute."""
    _note(kind, database_now(), "refused_at", refusal=reason[:200])


def _row(asked: Asked, now: dt.datetime) -> ChatRequest:
    return ChatRequest(
        key=hashlib.sha256(f"{asked.kind}\n{asked.name}".encode("utf-8", "replace")).hexdigest(),
        kind=asked.kind,
        address=asked.address,
        action=asked.action,
        number=asked.number,
        text=_storable(asked.text),
        reply={name: _storable(value) for name, value in asked.reply.items()},
        data={name: _storable(value) for name, value in asked.data.items()},
        received_at=now,
        next_at=now,
    )


def _storable(value: Any) -> Any:
    """Replace what databases refuse in a text: NUL and lone surrogates, which JSON can write."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _note(kind: str, now: dt.datetime, column: str, **also: Any) -> None:
    rows = ChatIntegration.objects.filter(kind=kind)
    noted = rows.values_list(column, flat=True).first()
    if noted is not None and noted > now - NOTED_EVERY:
        return
    ChatIntegration.objects.bulk_create([ChatIntegration(kind=kind)], ignore_conflicts=True)
    rows.filter(Q(**{f"{column}__isnull": True}) | Q(**{f"{column}__lt": now})).update(**{column: now}, **also)

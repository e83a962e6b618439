"""What a channel offers, and what it is given: plain values, no database."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from django.utils.functional import Promise


class Stage(StrEnum):
    """How far a message got, as its provider says."""

    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"


@dataclass(frozen=True)
class Button:
    """An action offered beside the text: acknowledge, resolve, take, note; others are on `value`, not the incident."""

    action: str
    label: str
    value: str = ""


@dataclass(frozen=True)
class Message:
    """One message; `key` is the same at each attempt, `count` the number of incidents it stands for."""

    key: str
    kind: str  # page, update, notice, code, test, status
    title: str
    body: str = ""
    lines: Sequence[str] = ()  # facts
    incident: int | None = None
    reference: str = ""
    severity: str = ""
    status: str = ""
    url: str = ""
    answer_url: str = ""
    reply_code: str = ""
    buttons: Sequence[Button] = ()
    importance: str = "high"
    count: int = 1
    language: str = "en"
    time_zone: str = "UTC"
    occurred_at: dt.datetime | None = None
    attempt: int = 1
    tried: Sequence[str] = ()  # providers, the latest last
    thread: str = ""
    edits: str = ""  # the provider's id of the message to replace
    event: Mapping[str, Any] = field(default_factory=dict)  # for programs
    origin: str = ""  # what stands at a mail's foot, if not the server's own address
    leave_url: str = ""  # ends the subscription
    manage_url: str = ""  # changes it


@dataclass(frozen=True)
class Address:
    """The stored address, and what the channel keeps with it."""

    value: str
    data: Mapping[str, Any] = field(default_factory=dict)
    is_trusted: bool = False  # not entered by a user


@dataclass(frozen=True)
class Receipt:
    """What the provider answered."""

    stage: Stage
    provider: str = ""
    provider_id: str = ""  # names it in receipts and edits
    detail: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)  # kept for edits


class Failed(Exception):
    """The message was not taken; `detail` names no secret.

    `is_permanent` stops attempts by this method, `disables` for good. `retry_after` is in seconds. `is_unanswered`: it
    arrived, and nobody reacted.
    """

    def __init__(
        self,
        detail: str,
        *,
        is_permanent: bool = False,
        retry_after: float | None = None,
        disables: bool = False,
        provider: str = "",
        may_have_arrived: bool = False,
        is_unanswered: bool = False,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.is_permanent = is_permanent or disables
        self.retry_after = retry_after
        self.disables = disables
        self.provider = provider
        self.may_have_arrived = may_have_arrived
        self.is_unanswered = is_unanswered


class Send(Protocol):
    """Send within the time-out, thread-safe. Raises Failed."""

    def __call__(self, message: Message, to: Address) -> Receipt: ...


@dataclass(frozen=True)
class Channel:
    """A way to reach people or rooms.

    `validate` returns the canonical address or raises DomainError. `why_unusable` names what to set, or "". Without a
    receipt in `receipt_seconds` (None: there are none) the next of `providers`, or the next method, is tried. `admit`
    (user id, address, now, whether personal caps are waived) counts an attempt in the transaction that begins it, or
    returns why not. `new_data` is a new
    address's secret, shown once.
    """

    kind: str
    label: str | Promise
    send: Send
    validate: Callable[[str], str]
    mask: Callable[[str], str]
    why_unusable: Callable[[], str] = lambda: ""
    new_data: Callable[[], Mapping[str, str]] = dict
    is_personal: bool = True  # a contact method
    is_room: bool = False  # a team's channel
    can_edit: bool = False
    needs_code: bool = True
    is_linked: bool = False  # by a code sent to the bot
    needs_read_back: bool = False  # of tests, by a code in them
    is_for_staff: bool = False
    is_for_programs: bool = False  # what it says stays in English
    concurrency: int = 8
    receipt_seconds: float | None = None
    providers: Callable[[], Sequence[str]] = tuple
    admit: Callable[[int | None, str, dt.datetime, bool], str] | None = None
    per_minute: int | None = None  # the provider's limit


_channels: dict[str, Channel] = {}


def register_channel(channel: Channel) -> None:
    if channel.kind in _channels:
        raise ValueError(f"There are two channels of kind {channel.kind}.")
    _channels[channel.kind] = channel


def channel_of(kind: str) -> Channel | None:
    """Return the channel of a kind, if known."""
    return _channels.get(kind)


def masked(kind: str, address: str) -> str:
    """Return what others may see of an address; nothing of one of an unknown channel."""
    channel = channel_of(kind)
    return "…" if channel is None else channel.mask(address) if address else ""


def all_channels() -> list[Channel]:
    return list(_channels.values())

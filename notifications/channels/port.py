"""What a channel offers, and what it is given: plain values, no database."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from django.utils.functional import Promise


class Stage(StrEnum):
    """How far a message got, as far as its provider says. An answer by a human is not the provider's to report."""

    HANDED_OVER = "handed_over"  # the provider took it, perhaps
    ACCEPTED = "accepted"  # the provider promised to deliver it
    DELIVERED = "delivered"  # it reached the device or the mailbox


@dataclass(frozen=True)
class Button:
    """An action offered beside the text: acknowledge, resolve, take, note."""

    action: str
    label: str


@dataclass(frozen=True)
class Message:
    """One message, ready to be laid out for a channel.

    `key` is the same at each attempt, for providers that refuse repeats. `count` is how many incidents it stands for.
    `answer_url` is the one-click page of this recipient; `reply_code` answers by SMS.
    """

    key: str
    kind: str  # page, update, notice, code, test
    title: str
    body: str = ""
    lines: Sequence[str] = ()  # facts, one a line: why you, since when, what next
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
    tried: Sequence[str] = ()  # providers of earlier attempts, the latest last
    thread: str = ""  # groups messages about one incident
    edits: str = ""  # provider's id of the message to replace, where the channel can
    event: Mapping[str, Any] = field(default_factory=dict)  # for machines: webhooks, topics


@dataclass(frozen=True)
class Address:
    """Where to: the stored address, and what the channel keeps with it (push keys, secrets, a conversation)."""

    value: str
    data: Mapping[str, Any] = field(default_factory=dict)
    is_trusted: bool = False  # set by an operator or administrator, not by a user


@dataclass(frozen=True)
class Receipt:
    """What the provider answered."""

    stage: Stage
    provider: str = ""  # which of several
    provider_id: str = ""  # by which later receipts and edits name it
    detail: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)  # to remember for edits, such as the conversation


class Failed(Exception):
    """The message was not taken; `detail` names no secret.

    `is_permanent` stops attempts by this method. `retry_after` (seconds) is the provider's own wish. `disables` says
    that the address will never work again (410, unsubscribed, landline). `is_unanswered` says that it works and nobody
    reacted: no further attempt is made with this message.
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
    """Deliver one message over the network. Raises Failed; must end within the channel's time-out. Thread-safe."""

    def __call__(self, message: Message, to: Address) -> Receipt: ...


@dataclass(frozen=True)
class Channel:
    """A way to reach people or rooms.

    `validate` returns the canonical address or raises DomainError(field="address"); `mask` hides it for other people.
    `why_unusable` says what the operator must set, or returns "". `receipt_seconds` is how long a receipt may take
    before the next provider or method is tried; None where no receipts exist. `providers` names those that send, in
    order: while one of them is not among a delivery's `tried`, another attempt reaches the person by another way.
    `admit` (user id, address, now) is asked in the transaction that begins an attempt: it counts the attempt, or
    returns why it must not be made.
    `new_data` is kept with each new address and shown to whoever adds it, once: a secret.
    """

    kind: str
    label: str | Promise
    send: Send
    validate: Callable[[str], str]
    mask: Callable[[str], str]
    why_unusable: Callable[[], str] = lambda: ""
    new_data: Callable[[], Mapping[str, str]] = dict
    is_personal: bool = True  # people may add it as a contact method
    is_room: bool = False  # administrators may add it as a team's channel
    can_edit: bool = False
    needs_code: bool = True  # a code sent to the address verifies it
    is_linked: bool = False  # the address is learnt instead, when the person sends a code to the bot
    needs_read_back: bool = False  # nothing tells whether a message arrived: a test is confirmed by a code in it
    is_for_staff: bool = False  # responders and administrators only
    concurrency: int = 8
    receipt_seconds: float | None = None
    providers: Callable[[], Sequence[str]] = tuple
    admit: Callable[[int | None, str, dt.datetime], str] | None = None
    per_minute: int | None = None  # the provider's limit; a setting may lower it


_channels: dict[str, Channel] = {}


def register_channel(channel: Channel) -> None:
    """Offer a channel; each app config's ready() does so once."""
    if channel.kind in _channels:
        raise ValueError(f"There are two channels of kind {channel.kind}.")
    _channels[channel.kind] = channel


def channel_of(kind: str) -> Channel | None:
    """Return the channel of a kind; None if this installation does not know it."""
    return _channels.get(kind)


def all_channels() -> list[Channel]:
    """Return the channels, in the order they were registered."""
    return list(_channels.values())

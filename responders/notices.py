"""Notices to people, for apps that cannot import what delivers them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Choice:
    """What a reader may decide in a chat: a registered action on `value`; the label is a stored sentence."""

    action: str
    label: str
    value: str


@dataclass(frozen=True)
class Notice:
    """Something that people are told, once per `key`; `by_every_means` includes unverified addresses.

    Title and body are a stored sentence (core.text.sentences), or written later, once for each reader
    (core.text.languages). With `choices`, chats in which people's accounts are linked are told too, and rooms of `team`
    that are told of events of kind `event`.
    """

    key: str
    kind: str
    title: str | Promise
    body: str | Promise = ""
    users: Collection[int] = ()
    incident: int | None = None
    path: str = ""  # of the page that shows it, below PUBLIC_URL
    is_urgent: bool = False
    by_every_means: bool = False
    choices: Sequence[Choice] = ()
    team: int | None = None
    event: str = ""


Handler = Callable[[Sequence[Notice]], object]
_handlers: list[Handler] = []
_amenders: list[Handler] = []


def register_notice_handler(handler: Handler) -> None:
    """Call this with notices, in their transaction."""
    _handlers.append(handler)


def announce(*notices: Notice) -> None:
    """Tell people, if this transaction commits."""
    for handler in _handlers if notices else ():
        handler(notices)


def register_notice_amender(handler: Handler) -> None:
    """Call this with notices whose earlier messages are to read so now, in their transaction."""
    _amenders.append(handler)


def amend(*notices: Notice) -> None:
    """Have messages sent for the same keys show these texts, without choices, if this transaction commits."""
    for handler in _amenders if notices else ():
        handler(notices)

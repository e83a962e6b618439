"""Notices to people, for apps that cannot import what delivers them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Notice:
    """Something that people are told, once per `key`; `by_every_means` includes unverified addresses.

    Title and body are a stored sentence (core.text.sentences), or written later, once for each reader
    (core.text.languages).
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


Handler = Callable[[Sequence[Notice]], object]
_handlers: list[Handler] = []


def register_notice_handler(handler: Handler) -> None:
    """Call this with notices, in their transaction."""
    _handlers.append(handler)


def announce(*notices: Notice) -> None:
    """Tell people, if this transaction commits."""
    for handler in _handlers if notices else ():
        handler(notices)

"""Who acts; the audit log asks here."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_actor: ContextVar[Any] = ContextVar("actor", default=None)


@contextmanager
def acting(by: Any) -> Iterator[None]:
    """Make a person the actor of writes inside; None leaves it to the request."""
    token = _actor.set(by)
    try:
        yield
    finally:
        _actor.reset(token)


def present_actor() -> Any:
    """Return the person acting now, if any."""
    return _actor.get()

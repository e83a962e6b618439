"""Who acts; the audit log asks here."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_actor: ContextVar[Any] = ContextVar("actor", default=None)


@contextmanager
def acting(by: Any) -> Iterator[None]:
    """Have a person be the actor of all that is written inside; None leaves it to the request."""
    token = _actor.set(by)
    try:
        yield
    finally:
        _actor.reset(token)


def present_actor() -> Any:
    """Return the person in whose name something is written now; None where nobody said."""
    return _actor.get()

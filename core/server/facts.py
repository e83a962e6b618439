"""What the health summary also tells, read in the background."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import Error

from core.db.outages import outages

EVERY_SECONDS = 15.0


@dataclass
class Fact:
    """`read` may ask the database, and nothing slower; `is_well` judges by what is at hand."""

    read: Callable[[], Any]
    is_well: Callable[[Any], bool]
    value: Any


class Facts:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._facts: dict[str, Fact] = {}
        self._monotonic = monotonic
        self._next = 0.0
        self._lock = threading.Lock()

    def register(
        self,
        name: str,
        read: Callable[[], Any],
        *,
        until_read: Any,
        is_well: Callable[[Any], bool] = lambda value: True,
    ) -> None:
        """Tell this too, as `until_read` at first."""
        self._facts[name] = Fact(read, is_well, until_read)

    def refresh(self) -> None:
        """Read what was read too long ago; what cannot be read stays as it was."""
        with self._lock:
            if self._monotonic() < self._next:
                return
            self._next = self._monotonic() + EVERY_SECONDS
        for fact in self._facts.values():
            try:
                fact.value = fact.read()
            except Error as error:
                outages.note(error)

    def known(self) -> dict[str, Any]:
        return {name: fact.value for name, fact in self._facts.items()}

    def are_well(self) -> bool:
        return all(fact.is_well(fact.value) for fact in self._facts.values())


facts = Facts()

"""Run the checks on a schedule: probes never wait."""

import threading
import time
from collections.abc import Callable

import structlog
from django.db import Error, connection

from core.db.outages import Trouble, outages

log = structlog.get_logger(__name__)

Outcomes = dict[str, dict[str, str]]
Checks = Callable[[Callable[[str], None]], Outcomes]

EVERY_SECONDS = 2.0
OUTAGE_SECONDS = 1.0  # during an outage
PATIENCE_SECONDS = 5.0  # slower checks fail
LOUD_SECONDS = 5.0  # failing so long is logged
LOGGED_ELSEWHERE = frozenset({"database", "writes", "integrity"})  # by `core.db.outages`


class Watch:
    def __init__(self, checks: Checks, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._checks, self._monotonic = checks, monotonic
        self._current: tuple[str, float] | None = None
        self._outcomes: Outcomes | None = None
        self._failing: dict[str, float] = {}
        self._said: set[str] = set()
        self.has_looked = threading.Event()
        self._stopping = threading.Event()
        self.is_running = False

    def start(self) -> None:
        if not self.is_running:
            self.is_running = True
            threading.Thread(target=self._loop, name="watch", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def outcomes(self) -> Outcomes | None:
        """Return the last outcomes, hanging checks as failed; None before any."""
        current, outcomes = self._current, self._outcomes
        if outcomes is None or current is None:
            return outcomes
        name, since = current
        if (waited := self._monotonic() - since) < PATIENCE_SECONDS:
            return outcomes
        return {**outcomes, name: {"status": "failed", "detail": f"There has been no answer for {waited:.0f} seconds."}}

    def look(self) -> None:
        """Run the checks once."""
        try:
            self._outcomes = self._checks(self._begin)
        finally:
            self._current = None
        self.has_looked.set()
        self._say(self._outcomes)

    def _begin(self, name: str) -> None:
        self._current = (name, self._monotonic())

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:  # nobody else would notice a missing round
                log.error("check_broken", exc_info=error)
            is_unreachable = Trouble.UNREACHABLE in outages.present()
            if is_unreachable:
                _close()
            self._stopping.wait(OUTAGE_SECONDS if is_unreachable else EVERY_SECONDS)

    def _say(self, outcomes: Outcomes) -> None:
        now = self._monotonic()
        for name in outcomes.keys() - LOGGED_ELSEWHERE:
            outcome = outcomes[name]
            if outcome["status"] == "ok":
                self._failing.pop(name, None)
                if name in self._said:
                    self._said.discard(name)
                    log.warning("ready_again", check=name)
            elif outcome["status"] == "failed":
                since = self._failing.setdefault(name, now)
                if now - since >= LOUD_SECONDS and name not in self._said:
                    self._said.add(name)
                    log.error("not_ready", check=name, reason=outcome["detail"])


def _close() -> None:
    try:
        connection.close()
    except Error as error:
        log.warning("connection_not_closed", error=str(error))

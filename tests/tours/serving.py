"""The server of a tour in the suite: it answers over HTTP in this process, and its jobs run in a thread beside it."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from core.server.jobs import Job, all_jobs
from incident_response.demo.loading import load
from intake.services.sources import clear_cache
from logs.services.rules import ensure_builtin
from tests.live_server import TurnTakingTestCase, turn
from tests.tours.pages import SERVER_PORT, Tour, new_ports, settings_of

RARE_SECONDS = 60
PAUSE_SECONDS = 0.1  # between rounds


class TourCase(TurnTakingTestCase):
    """The demo, the server and its jobs, for the page named `page`."""

    page = ""

    def setUp(self) -> None:
        clear_cache()
        with turn:
            ensure_builtin()
            load(timezone.now())
        self.addCleanup(clear_cache)
        self.ports = {**new_ports(), SERVER_PORT: self.server_thread.port}
        self.tour = self.enterContext(Tour(self.page, self.ports, self.serve))
        self.jobs = self.enterContext(Jobs())

    def settle(self) -> None:
        """Wait until every job has run twice: what happened before has all its effects."""
        done = self.jobs.rounds + 2
        while self.jobs.rounds < done and not self.jobs.errors:
            time.sleep(PAUSE_SECONDS)

    def serve(self, command: str) -> None:
        """Apply what the command sets."""
        given = {name: _like(getattr(settings, name), value) for name, value in settings_of(command).items()}
        self.enterContext(override_settings(**given))


def _like(present: Any, value: str) -> Any:
    return type(present)(value) if isinstance(present, int | float) else value


@dataclass
class Jobs:
    """All jobs that run each minute or more often, one after the other, until left; their errors are raised then."""

    errors: list[BaseException] = field(default_factory=list)
    rounds: int = 0  # in which each job ran

    def __enter__(self) -> "Jobs":
        self._stopping = threading.Event()
        ours = connections["default"]
        self._shared = ours if ours.vendor == "sqlite" else None
        if self._shared is not None:
            self._shared.inc_thread_sharing()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join()
        if self._shared is not None:
            self._shared.dec_thread_sharing()
        if self.errors:
            raise self.errors[0]

    def _run(self) -> None:
        if self._shared is not None:
            connections["default"] = self._shared
        jobs = [job for job in all_jobs() if job.interval <= RARE_SECONDS]
        try:
            while not self._stopping.wait(PAUSE_SECONDS):
                for job in jobs:
                    self._run_one(job)
                self.rounds += 1
        except BaseException as error:  # noqa: BLE001 (raised in the test's own thread)
            self.errors.append(error)
        finally:
            if self._shared is None:
                connections.close_all()

    def _run_one(self, job: Job) -> None:
        if not self._stopping.is_set():
            with turn:
                job.run(timezone.now())

"""A server in the test's own process, whose threads share an in-memory database with the test."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.test import LiveServerTestCase
from django.test.testcases import _StaticFilesHandler

# An in-memory database has one connection for all threads: they take turns.
turn = threading.RLock()


class _InTurn(_StaticFilesHandler):
    def __call__(self, environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        with turn:
            return super().__call__(environ, start_response)


class TurnTakingTestCase(LiveServerTestCase):
    """Hold `turn` where the test itself reads or writes while requests may come."""

    host = "127.0.0.1"
    static_handler = _InTurn

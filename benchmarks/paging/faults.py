"""Run a worker that is killed at a named point: `python -m benchmarks.paging.faults worker …`; production has no hooks.

FAULT_POINT names the point, FAULT_AFTER how often it is passed before. What was under way is written to FAULT_FILE.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BEFORE_CLAIM = "before the claim"
AFTER_CLAIM = "after the claim"
BEFORE_COMMIT = "after the provider's 2xx, before our commit"
BEFORE_CANCEL = "between acknowledge and cancel"
POINTS = (BEFORE_CLAIM, AFTER_CLAIM, BEFORE_COMMIT, BEFORE_CANCEL)


class Fault:
    """Counts how often a point is passed, and ends the process there."""

    def __init__(self, point: str, after: int, file: Path) -> None:
        self.point, self.left, self.file = point, after, file

    def pass_point(self, facts: dict[str, Any]) -> None:
        """Be killed here, unless it is too early."""
        self.left -= 1
        if self.left < 0:
            line = json.dumps({"point": self.point, "at": time.time(), **facts}) + "\n"
            with self.file.open("a") as output:
                output.write(line)
                output.flush()
                os.fsync(output.fileno())
            os.kill(os.getpid(), signal.SIGKILL)


def install(fault: Fault) -> None:
    """Have the process be killed at its point."""
    {
        BEFORE_CLAIM: _before_claim,
        AFTER_CLAIM: _after_claim,
        BEFORE_COMMIT: _before_commit,
        BEFORE_CANCEL: _before_cancel,
    }[fault.point](fault)


def _before_claim(fault: Fault) -> None:
    from core.db.clock import database_now
    from notifications.models import Delivery
    from notifications.services import sending

    claim = sending.claim

    def patched(channel: Any, free: int) -> Any:
        due = Delivery.objects.filter(channel=channel.kind, next_attempt_at__lte=database_now())
        if free and due.exists():
            fault.pass_point({"due": list(due.values_list("pk", flat=True)[:free])})
        return claim(channel, free)

    sending.claim = patched


def _after_claim(fault: Fault) -> None:
    from notifications.services import sending

    claim = sending.claim

    def patched(channel: Any, free: int) -> Any:
        claimed = claim(channel, free)
        if claimed:
            fault.pass_point({"claimed": [one.delivery.pk for one in claimed]})
        return claimed

    sending.claim = patched


def _before_commit(fault: Fault) -> None:
    from notifications.services import sending

    settle = sending.settle

    def patched(channel: Any, results: Any) -> None:
        if receipts := [one.claimed.delivery.pk for one in results if one.receipt is not None]:
            fault.pass_point({"receipts": receipts})
        settle(channel, results)

    sending.settle = patched


def _before_cancel(fault: Fault) -> None:
    from paging import pages

    def patched(page_ids: Any, at: Any) -> None:
        fault.pass_point({"pages": list(page_ids)})

    pages._cancel_handlers.insert(0, patched)


def from_environment() -> None:
    """Install the fault that the environment names, if any; Django must be set up."""
    if point := os.environ.get("FAULT_POINT"):
        install(Fault(point, int(os.environ["FAULT_AFTER"]), Path(os.environ["FAULT_FILE"])))


def _run(arguments: list[str]) -> None:
    if arguments[0] == "celery":
        from celery.__main__ import main

        import incident_response.celery  # noqa: F401 (sets Django up)

        from_environment()
        sys.argv = arguments
        main()
        return
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    from_environment()
    execute_from_command_line(["manage.py", *arguments])


RUN: Callable[[list[str]], None] = _run

if __name__ == "__main__":
    _run(sys.argv[1:])

"""Run a job once at a time on a machine, however many processes are asked to."""

import fcntl
import os
import tempfile
import threading
from collections.abc import Callable, Iterable

ASKED, HEARD = b"1", b"0"


class JobLocks:
    """Locks of jobs for this process and those forked from it; the system releases those of a killed one.

    A run that is asked for during another must follow it: the other may have looked already.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._threads = {name: threading.Lock() for name in self._places}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (for the life of the process)
        self._file.truncate(len(self._places))

    def run(self, name: str, function: Callable[[], object]) -> bool:
        """Run it, unless a run is under way; return whether it was asked for once more meanwhile."""
        number, place = self._file.fileno(), self._places[name]
        os.pwrite(number, ASKED, place)
        if not self._threads[name].acquire(blocking=False):
            return False
        try:
            if not _lock(number, place):
                return False
            try:
                os.pwrite(number, HEARD, place)
                function()
            finally:
                fcntl.lockf(number, fcntl.LOCK_UN, 1, place)
        finally:
            self._threads[name].release()
        return os.pread(number, 1, place) == ASKED


def _lock(number: int, place: int) -> bool:
    try:
        fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError:  # EACCES or EAGAIN: another process has it
        return False
    return True

"""How a process hears that it is to stop."""

import contextlib
import os
import select
import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """SIGTERM and SIGINT, for the main thread to wait for.

    A handler that takes a lock meets itself when the signal comes twice, and hangs. So ours does nothing: the
    interpreter writes the signal's number to a pipe, and whoever waits reads that.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self.is_told = False
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, _nothing) for number in STOP_SIGNALS}

    def wait(self, seconds: float) -> bool:
        """Whether the process is to stop; waits for that as long as this."""
        if not self.is_told:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, seconds))
            self.is_told = bool(ready) and any(number in STOP_SIGNALS for number in os.read(self._reading, 4096))
        return self.is_told

    def tell(self) -> None:
        """Have the process stop; for other threads."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._writing, bytes([signal.SIGTERM]))

    def ignore(self) -> None:
        """Hear no more, until the process ends: a second signal must not spoil an end in good order."""
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def close(self) -> None:
        """Put back what there was before, where the process goes on."""
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._reading)
        os.close(self._writing)


def _nothing(number: int, frame: FrameType | None) -> None:
    """Only that there is a handler has the interpreter write to its wake-up file descriptor."""

import contextlib
import os
import select
import signal
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """SIGTERM and SIGINT, awaited by the main thread.

    A locking handler deadlocks on a second signal: ours does nothing, and the wake-up pipe is read instead.
    """

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        self.is_told = False
        self._before = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, _nothing) for number in STOP_SIGNALS}

    def wait(self, seconds: float) -> bool:
        """Return whether to stop, waiting up to so many seconds."""
        if not self.is_told:
            ready, _, _ = select.select([self._reading], [], [], max(0.0, seconds))
            self.is_told = bool(ready) and any(number in STOP_SIGNALS for number in os.read(self._reading, 4096))
        return self.is_told

    def tell(self) -> None:
        """Stop the process, from any thread."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._writing, bytes([signal.SIGTERM]))

    def ignore(self) -> None:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def close(self) -> None:
        """Restore the previous handlers."""
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        os.close(self._reading)
        os.close(self._writing)


def _nothing(number: int, frame: FrameType | None) -> None:
    """Exist: without a handler the interpreter writes nothing to the pipe."""

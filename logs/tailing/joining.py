"""Join the lines of one record, such as a stack trace. Pure."""

import re

from logs.tailing.times import has_time

MOST_LINES = 500
MOST_CHARACTERS = 32 * 1024

# Java's "Caused by:", "Suppressed:", "... 12 more"; Python's links; closing brackets.
_GOES_ON = re.compile(
    r"\s|Caused by: |Suppressed: |\.\.\. \d+ more|[}\])]+[,;]?\s*$"
    r"|During handling of the above exception|The above exception was the direct cause"
    r"|Traceback \(most recent call last\)"
)
_PYTHON = "Traceback (most recent call last)"
_GO = re.compile(r"panic: |fatal error: |goroutine \d+ \[")
# The end of a Python traceback.
_LAST_OF_PYTHON = re.compile(r"[A-Za-z_][\w.]*(?::\s|$)")


class Joiner:
    """A time or JSON begins a record; indented and other lines continue it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._length = 0

    def feed(self, line: str) -> list[str]:
        """Return the record that this line finishes, if any."""
        if self._lines and self._goes_on(line) and not self._is_full():
            self._add(line)
            return []
        finished = self.flush()
        if line.strip():
            self._add(line)
        return finished

    def flush(self) -> list[str]:
        record = "\n".join(self._lines).rstrip()
        self._lines, self._length = [], 0
        return [record] if record else []

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._length += len(line)

    def _is_full(self) -> bool:
        return len(self._lines) >= MOST_LINES or self._length > MOST_CHARACTERS

    def _goes_on(self, line: str) -> bool:
        if line.startswith("{") or has_time(line):
            return False
        if not line or _GOES_ON.match(line):
            return True
        if _GO.match(self._lines[0]) or any(_GO.match(one) for one in self._lines[-3:]):
            return True
        return self._is_in_python() and _LAST_OF_PYTHON.match(line) is not None

    def _is_in_python(self) -> bool:
        return self._lines[-1].startswith("  ") and any(_PYTHON in one for one in self._lines)

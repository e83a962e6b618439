"""Read calendars within limits of time and memory."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

from responders.ical.reading import MAX_BYTES, SECONDS, ImportedEvent, Unreadable

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 2 * SECONDS  # on a busy machine


def read_bounded(content: bytes, start: dt.datetime, end: dt.datetime, time_zone: str) -> list[ImportedEvent]:
    """Return the events between two instants. Raises Unreadable, also if it takes too long."""
    if len(content) > MAX_BYTES:
        raise Unreadable(f"It is larger than {MAX_BYTES // 1024:,} KB.")
    asked = json.dumps({"start": start.isoformat(), "end": end.isoformat(), "time_zone": time_zone})
    command = [sys.executable, "-m", "responders.ical.reading"]
    try:
        done = subprocess.run(  # noqa: S603 (our own module)
            command, input=asked.encode() + b"\n" + content, capture_output=True, timeout=PATIENCE, check=True, cwd=ROOT
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise Unreadable("It cannot be read in reasonable time and memory, or is damaged.") from error
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise Unreadable(answer["error"])
    return [
        ImportedEvent(one["starts_at"], one["ends_at"], tuple(one["attendees"]), tuple(one["names"]))
        for one in answer["events"]
    ]

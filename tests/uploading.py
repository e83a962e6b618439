"""`python -m tests.uploading`: report incidents with a file each until standard input ends, then say how many."""

import io
import os
import select
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "incident_response.settings")
django.setup()

from django.core.files.base import File  # noqa: E402

from incidents.services import attaching  # noqa: E402
from incidents.tests.factories import report  # noqa: E402
from tests.databases import say  # noqa: E402


def main() -> None:
    """Say `started` after the first report."""
    count = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        file = File(io.BytesIO(f"Line of log {count}\n".encode()), name=f"{count}.log")
        incident = report(by=None, title=f"Report {count}", origin="api")
        attaching.attach(incident, attaching.inspect([file]), by=None)
        count += 1
        if count == 1:
            say("started")
    say(str(count))


if __name__ == "__main__":
    main()

"""Nothing is timed in the broker: what is due is a column, and a message means now."""

import re

from django.test import SimpleTestCase

from tests.databases import ROOT
from tests.reported import reported_failure

# Celery's ways to have a message wait in a worker, where it is repeated, lost, or kept in memory
TIMED = re.compile(r"\beta\s*=|[\"']eta[\"']\s*[:=]|\bcountdown\b|\badd_periodic_task\b|\bbeat_schedule\b|\.retry\(")


class BrokerTimingTests(SimpleTestCase):
    @reported_failure(11)
    def test_it_lets_no_message_wait_for_its_time(self):
        files = [
            path for path in ROOT.rglob("*.py") if ".venv" not in path.parts and path.name != "test_broker_timing.py"
        ]

        found = [
            f"{path.relative_to(ROOT)}:{number}"
            for path in files
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if TIMED.search(line)
        ]

        self.assertEqual(found, [])
        self.assertGreater(len(files), 300)

    def test_it_recognises_what_it_looks_for(self):
        for line in (
            "task.apply_async(eta=tomorrow)",
            "task.apply_async(args, countdown=5)",
            'options = {"eta": tomorrow}',
            "raise self.retry(exc=error)",
        ):
            with self.subTest(line=line):
                self.assertRegex(line, TIMED)

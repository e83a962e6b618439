import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

from django.test import SimpleTestCase

from incident_response import supervisor
from incident_response.supervisor import Child, Supervisor


def python(code):
    return [sys.executable, "-c", code]


SLEEPS = python("import time; time.sleep(60)")
DEAF = python("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)")


class SupervisorTests(SimpleTestCase):
    def setUp(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.enterContext(mock.patch.object(supervisor, "TICK_SECONDS", 0.01))
        self.enterContext(mock.patch.object(supervisor, "MAX_DELAY_SECONDS", 0.01))
        self.enterContext(mock.patch.object(supervisor.log, "warning"))
        self.enterContext(mock.patch.object(supervisor.log, "error"))

    def stop_when(self, supervised, condition):
        def watch():
            while not condition():
                time.sleep(0.01)
            supervised.stopping.set()

        threading.Thread(target=watch, daemon=True).start()

    def test_it_stops_its_children_with_itself(self):
        child = Child("sleeper", SLEEPS)
        supervised = Supervisor([child])
        self.stop_when(supervised, child.is_running)

        code = supervised.run()

        self.assertEqual((code, child.is_running()), (0, False))

    def test_it_starts_a_child_again_that_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder) / "note"
            child = Child("brief", python(f"open({str(note)!r}, 'a').write('x'); import time; time.sleep(0.05)"))
            supervised = Supervisor([child])
            self.stop_when(supervised, lambda: note.exists() and len(note.read_text()) >= 2)

            code = supervised.run()

        self.assertEqual(code, 0)

    def test_it_gives_up_on_a_child_that_never_starts(self):
        broken, other = Child("broken", python("raise SystemExit(3)")), Child("sleeper", SLEEPS)

        code = Supervisor([broken, other]).run()

        self.assertEqual((code, broken.failed_starts, other.is_running()), (1, supervisor.MAX_FAILED_STARTS, False))

    def test_it_kills_a_child_that_does_not_stop(self):
        child = Child("deaf", DEAF)
        supervised = Supervisor([child])
        self.stop_when(supervised, child.is_running)

        with mock.patch.object(supervisor, "GRACE_SECONDS", 0.3):
            supervised.run()

        self.assertFalse(child.is_running())

    def test_it_lets_children_notice_that_it_is_gone(self):
        code = "from incident_response.supervisor import stop_with_parent as s; s(); import time; time.sleep(60)"
        child = Child("orphan", python(code))
        child.start()

        child.process.stdin.close()

        self.assertEqual(child.process.wait(timeout=20), -signal.SIGTERM)

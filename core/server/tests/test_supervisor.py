import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from unittest import mock

from django.test import SimpleTestCase

from core.server import supervisor
from core.server.supervisor import Child, Failing, Report, Supervisor
from incident_response.settings import BASE_DIR


def python(code):
    return [sys.executable, "-c", code]


SLEEPS = python("import time; time.sleep(60)")
DEAF = python("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)")
HEARS = """
import json, time
from core.server import supervisor
supervisor.stop_with_parent()
while not supervisor.last_report.failing:
    time.sleep(0.01)
open({0!r}, "w").write(supervisor.last_report.failing[0].name)
time.sleep(60)
"""

# For each try a supervisor of two children, as a process of its own that is sent signals: its exit code, or "hung".
SUPERVISES = """
import json, os, signal, sys, threading, time
from core.server.supervisor import Child, Supervisor

def supervise(begun):
    os.setpgid(0, 0)
    children = [Child(name, ["sleep", "60"]) for name in ("one", "two")]
    def announce():
        while not all(child.is_running() for child in children):
            time.sleep(0.001)
        os.write(begun, b"x")
    threading.Thread(target=announce, daemon=True).start()
    Supervisor(children).run()
    sys.exit(3 if any(child.is_running() for child in children) else 0)

def ended(pid):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return "hung"

def outcome(sent):
    waiting, begun = os.pipe()
    pid = os.fork()
    if pid == 0:
        supervise(begun)
    os.read(waiting, 1)
    for kill, number in sent:
        getattr(os, kill)(pid, number)  # it is ours to bury: its number is taken until then
    return ended(pid)

ways, attempts = json.loads(sys.argv[1])
print(json.dumps({way: [outcome(sent) for _ in range(attempts)] for way, sent in ways.items()}))
"""


class SupervisorTests(SimpleTestCase):
    def setUp(self):
        self.enterContext(mock.patch.object(supervisor, "TICK_SECONDS", 0.01))
        self.enterContext(mock.patch.object(supervisor, "MAX_DELAY_SECONDS", 0.01))
        self.enterContext(mock.patch.object(supervisor.log, "warning"))
        self.enterContext(mock.patch.object(supervisor.log, "error"))

    def supervise(self, *children, **options):
        supervised = Supervisor(children, **options)
        self.addCleanup(supervised.signals.close)
        return supervised

    def stop_when(self, supervised, condition):
        def watch():
            while not condition():
                time.sleep(0.01)
            supervised.signals.tell()

        threading.Thread(target=watch, daemon=True).start()

    def test_it_stops_its_children_with_itself(self):
        child = Child("sleeper", SLEEPS)
        supervised = self.supervise(child)
        self.stop_when(supervised, child.is_running)
        on_stopping = mock.Mock(side_effect=lambda: self.assertTrue(child.is_running()))

        supervised.run(on_stopping=on_stopping)

        self.assertFalse(child.is_running())
        on_stopping.assert_called_once()

    def test_it_starts_a_child_again_that_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder) / "note"
            child = Child("brief", python(f"open({str(note)!r}, 'a').write('x'); import time; time.sleep(0.05)"))
            supervised = self.supervise(child)
            self.stop_when(supervised, lambda: note.exists() and len(note.read_text()) >= 2)

            supervised.run()

            self.assertGreaterEqual(len(note.read_text()), 2)

    def test_it_never_gives_up_on_a_child_nor_on_the_others(self):
        broken, other = Child("broken", python("raise SystemExit(3)")), Child("sleeper", SLEEPS)
        supervised = self.supervise(broken, other)
        seen = []
        self.stop_when(supervised, lambda: broken.failed_starts >= 12 and seen.append(other.process.pid) is None)

        supervised.run()

        self.assertGreaterEqual(broken.failed_starts, 12)
        self.assertEqual(seen, [other.process.pid])

    def test_it_waits_longer_each_time_up_to_a_limit(self):
        child, delays = Child("broken", SLEEPS, started=100.0), []
        supervised = self.supervise(child)

        with mock.patch.object(supervisor, "MAX_DELAY_SECONDS", 30.0):
            for _failure in range(9):
                supervised._put_off(child, 100.0, 1)
                delays.append(child.start_after - 100.0)
            supervised._put_off(child, 111.0, 1)

        self.assertEqual(delays, [0.5, 1, 2, 4, 8, 16, 30, 30, 30])
        self.assertEqual((child.failed_starts, child.start_after), (0, 111.0))

    def test_it_goes_on_when_the_system_cannot_start_a_process(self):
        child = Child("sleeper", SLEEPS)
        supervised = self.supervise(child)
        self.stop_when(supervised, child.is_running)
        real = subprocess.Popen
        refusals = iter([OSError(11, "Resource temporarily unavailable"), OSError(12, "Cannot allocate memory")])

        def start(*args, **options):
            refusal = next(refusals, None)
            if refusal is not None:
                raise refusal
            return real(*args, **options)

        with mock.patch.object(subprocess, "Popen", side_effect=start):
            supervised.run()

        self.assertEqual(child.failed_starts, 2)

    def test_it_kills_a_child_that_does_not_stop(self):
        child = Child("deaf", DEAF)
        supervised = self.supervise(child, grace_seconds=0.3)
        self.stop_when(supervised, child.is_running)

        supervised.run()

        self.assertFalse(child.is_running())

    def test_it_tells_the_others_of_a_child_that_keeps_failing(self):
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder) / "note"
            broken, hearing = (
                Child("broken", python("raise SystemExit(3)")),
                Child("web", python(HEARS.format(str(note)))),
            )
            supervised = self.supervise(broken, hearing)
            self.stop_when(supervised, lambda: note.exists() and note.read_text())

            supervised.run()

            self.assertEqual(note.read_text(), "broken")

    def test_it_understands_what_it_is_told(self):
        report = Report()

        report.take(json.dumps([{"name": "worker", "exit_code": -9, "failed_starts": 3}]).encode())

        self.assertEqual(report.failing, [Failing("worker", -9, 3)])
        report.take(b"[]")
        self.assertEqual(report.failing, [])

    def test_it_lets_children_notice_that_it_is_gone(self):
        code = "from core.server.supervisor import stop_with_parent as s; s(); import time; time.sleep(60)"
        child = Child("orphan", python(code))
        child.start()

        child.process.stdin.close()

        self.assertEqual(child.process.wait(timeout=20), -signal.SIGTERM)


class SignalTests(SimpleTestCase):
    def test_it_stops_whichever_way_it_is_told(self):
        term, int_ = signal.SIGTERM, signal.SIGINT
        ways = {
            "SIGTERM": [("kill", term)],
            "SIGINT": [("kill", int_)],
            "SIGTERM to the group": [("killpg", term)],
            "SIGINT to the group": [("killpg", int_)],
            "SIGTERM twice": [("kill", term)] * 2,
            "SIGTERM to the group, and passed on": [("killpg", term), ("kill", term)],
            "one of each": [("kill", int_), ("kill", term)],
            "a hail": [("kill", term), ("kill", int_)] * 50,
        }
        attempts = 20

        done = subprocess.run(
            [sys.executable, "-c", SUPERVISES, json.dumps([ways, attempts])],
            cwd=BASE_DIR,
            capture_output=True,
            text=True,
            timeout=600,
        )

        self.assertEqual(done.stderr, "")
        self.assertEqual(json.loads(done.stdout), {way: [0] * attempts for way in ways})

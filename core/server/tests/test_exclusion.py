import os
import signal
import threading
from unittest import mock

from django.test import SimpleTestCase

from core.server.exclusion import JobLocks


class JobLocksTests(SimpleTestCase):
    def setUp(self):
        self.locks = JobLocks(["one", "two"])

    def in_fork(self, function):
        """Run it in a forked process; return its process id and a pipe that ends when it does or says so."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                function(lambda: os.write(writing, b"!"))
            finally:
                os._exit(0)
        os.close(writing)
        return pid, reading

    def test_it_runs_one_at_a_time_and_asks_for_another_run_afterwards(self):
        run = mock.Mock()

        is_asked = self.locks.run("one", lambda: self.assertFalse(self.locks.run("one", run)))

        self.assertTrue(is_asked)
        run.assert_not_called()
        self.assertFalse(self.locks.run("one", run))
        run.assert_called_once()

    def test_it_keeps_jobs_apart(self):
        run = mock.Mock()

        is_asked = self.locks.run("one", lambda: self.locks.run("two", run))

        run.assert_called_once()
        self.assertFalse(is_asked)

    def test_it_is_free_again_after_a_run_that_failed(self):
        self.assertRaises(ZeroDivisionError, self.locks.run, "one", lambda: 1 / 0)

        run = mock.Mock()
        self.locks.run("one", run)

        run.assert_called_once()

    def test_it_holds_between_processes_and_is_released_with_a_killed_one(self):
        run = mock.Mock()
        waiting = threading.Event()
        pid, reading = self.in_fork(lambda say: self.locks.run("one", lambda: (say(), waiting.wait(30))))
        self.addCleanup(os.close, reading)
        os.read(reading, 1)

        self.locks.run("one", run)
        self.locks.run("two", run)
        while_held = run.call_count
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.locks.run("one", run)

        self.assertEqual((while_held, run.call_count), (1, 2))

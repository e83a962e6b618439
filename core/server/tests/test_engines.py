"""What every engine promises; each runs all of it."""

import threading
import time
from unittest import skipIf

from core.server.jobs import GENERAL, Job, wake
from core.server.tests.engines import CeleryCase, EngineCase, RabbitCase, RedisCase, listens

LONG = 25.0  # an interval that no test waits for
PATIENCE = 10.0


class Counter:
    """A job that counts its runs, and how many were under way at once."""

    def __init__(self, name, interval=LONG, seconds=0.0, group=GENERAL, fails=False):
        self.runs = self.at_once = self.most_at_once = 0
        self.seconds, self.fails = seconds, fails
        self.changed = threading.Condition()
        self.job = Job(name, self.run, interval, group)

    def run(self, now):
        with self.changed:
            self.runs += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.changed.notify_all()
        time.sleep(self.seconds)
        with self.changed:
            self.at_once -= 1
            self.changed.notify_all()
        if self.fails:
            raise ValueError("a bad row")
        return 0

    def wait_for(self, runs):
        with self.changed:
            return self.changed.wait_for(lambda: self.runs >= runs, PATIENCE)

    def wait_for_rest(self):
        with self.changed:
            return self.changed.wait_for(lambda: not self.at_once, PATIENCE)


class Promises:
    def test_it_runs_jobs_side_by_side_at_their_intervals(self):
        meeting = threading.Barrier(2, timeout=PATIENCE)
        often = Counter("often", interval=0.3)

        with self.running(
            Job("one", lambda now: meeting.wait() * 0, LONG),
            Job("two", lambda now: meeting.wait() * 0, LONG),
            often.job,
        ):
            has_run = often.wait_for(3)

        self.assertTrue(has_run)
        self.assertEqual({name for name, error in self.recorded if not error}, {"one", "two", "often"})

    def test_it_runs_a_woken_job_long_before_its_interval(self):
        job = Counter("job")

        with self.running(job.job):
            self.assertTrue(job.wait_for(1) and job.wait_for_rest())
            wake("job", "unknown")
            self.assertTrue(job.wait_for(2))

    def test_it_runs_a_job_again_that_was_woken_while_it_ran_and_never_twice_at_once(self):
        job = Counter("job", seconds=0.3)

        with self.running(job.job):
            self.assertTrue(job.wait_for(1))
            for _ in range(30):
                wake("job")
                time.sleep(0.005)
            self.assertTrue(job.wait_for(2) and job.wait_for_rest())
            time.sleep(0.2)

        self.assertEqual(job.most_at_once, 1)
        self.assertLessEqual(job.runs, 4)

    def test_it_survives_a_job_that_fails_and_spares_it(self):
        failing, well = Counter("failing", interval=0.1, fails=True), Counter("well", interval=0.3)

        with self.running(failing.job, well.job):
            self.assertTrue(well.wait_for(4))
            tries = failing.runs

        self.assertIn(("failing", "ValueError: a bad row"), self.recorded)
        self.assertLessEqual(tries, 2)

    def test_it_finishes_what_is_under_way_when_told_to_stop(self):
        job = Counter("job", seconds=0.5)

        with self.running(job.job):
            self.assertTrue(job.wait_for(1))

        self.assertEqual((job.at_once, self.recorded), (0, [("job", "")]))

    def test_it_runs_chosen_groups_only(self):
        slow, general = Counter("slow", group="slow"), Counter("fast")

        with self.running(slow.job, general.job, only=["slow"]):
            self.assertTrue(slow.wait_for(1) and slow.wait_for_rest())
            wake("slow", "fast")
            self.assertTrue(slow.wait_for(2))

        self.assertEqual(general.runs, 0)


class EmbeddedTests(Promises, EngineCase):
    pass


@skipIf(listens(6379) or listens(5672), "a real broker is used")
class CeleryTests(Promises, CeleryCase):
    pass


class RedisTests(Promises, RedisCase):
    pass


class RabbitTests(Promises, RabbitCase):
    pass

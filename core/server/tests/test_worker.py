import datetime as dt
import threading
from unittest import mock

from django.db import DatabaseError, OperationalError, connection
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from core.db.outages import Outages
from core.management.commands import worker as command
from core.models import JobRun
from core.server import worker
from core.server.condition import Unhealthy
from core.server.jobs import Job, all_jobs
from core.server.worker import Runner, work

NOW = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)


def make_runner(run, interval=0.25):
    return Runner(Job("job", run, interval), threading.Event())


class RunnerTests(TestCase):
    def setUp(self):
        self.enterContext(mock.patch.object(worker, "close_old_connections"))
        self.error = self.enterContext(mock.patch.object(worker.log, "error"))
        self.outages = Outages()
        self.enterContext(mock.patch.object(worker, "outages", self.outages))

    def test_it_tries_again_soon_and_without_a_traceback_where_the_database_is_to_blame(self):
        away = OperationalError(2003, "Can't connect")
        runner = make_runner(mock.Mock(side_effect=[away] * 6 + [1, ValueError]))

        with mock.patch("core.db.outages.log") as said:
            for _attempt in range(6):
                runner.run_once(NOW)
            delay = runner._delay()
            runner.run_once(NOW)

        self.assertEqual((delay, self.error.call_count), (worker.MAX_TROUBLE_SECONDS, 0))
        self.assertEqual((said.error.call_count, said.warning.call_count), (1, 1))
        runner.run_once(NOW)
        self.assertEqual((runner._delay(), self.error.call_count), (1, 1))

    def test_it_records_that_a_job_went_well(self):
        make_runner(lambda now: 3).run_once(NOW)

        run = JobRun.objects.get(name="job")
        self.assertEqual((run.started_at, run.succeeded_at, run.failed_at, run.error), (NOW, NOW, None, ""))

    def test_it_records_a_failure_and_goes_on(self):
        runner = make_runner(mock.Mock(side_effect=[ValueError("bad row"), 1]))

        runner.run_once(NOW)
        runner.run_once(NOW + dt.timedelta(seconds=1))

        run = JobRun.objects.get(name="job")
        self.assertEqual((run.failed_at, run.succeeded_at, run.error), (NOW, NOW + dt.timedelta(seconds=1), ""))

    def test_it_writes_a_fast_job_down_only_now_and_then(self):
        runner = make_runner(lambda now: 0)
        runner.run_once(NOW)

        with self.assertNumQueries(0):
            runner.run_once(NOW + dt.timedelta(seconds=0.25))

    def test_it_waits_longer_after_each_failure(self):
        runner = make_runner(mock.Mock(side_effect=ValueError))

        delays = []
        for _attempt in range(7):
            runner.run_once(NOW)
            delays.append(runner._delay())

        self.assertEqual(delays, [1, 2, 4, 8, 16, 30, 30])

    def test_it_survives_a_database_that_is_away(self):
        runner = make_runner(lambda now: 0)

        with (
            mock.patch.object(JobRun.objects, "update_or_create", side_effect=DatabaseError("gone")),
            mock.patch.object(worker.log, "warning") as warning,
        ):
            runner.run_once(NOW)

        warning.assert_called_once()


class WorkTests(TransactionTestCase):
    def test_it_runs_jobs_side_by_side_until_told_to_stop(self):
        if connection.vendor == "sqlite":
            self.skipTest("an in-memory database belongs to one thread")
        stopping, meeting = threading.Event(), threading.Barrier(2, timeout=10)

        def meet(now):
            meeting.wait()
            stopping.set()
            return 1

        is_clean = work([Job("one", meet, 60), Job("two", meet, 60)], stopping.wait, 8.0)

        self.assertTrue(is_clean)
        self.assertEqual(set(JobRun.objects.values_list("name", flat=True)), {"one", "two"})

    def test_it_says_when_a_job_did_not_end_in_time(self):
        begun, release = threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def hang(runner):
            begun.set()
            release.wait(30)

        with mock.patch.object(Runner, "loop", hang):
            is_clean = work([Job("hanging", lambda now: 0, 60)], begun.wait, 0.05)

        self.assertFalse(is_clean)


class AllJobsTests(TestCase):
    def test_it_runs_every_job_on_an_empty_database(self):
        counts = {job.name: job.run(timezone.now()) for job in all_jobs()}

        self.assertEqual(set(counts.values()), {0})
        self.assertIn("assign_feed", counts)


class LastSeenTests(TestCase):
    def setUp(self):
        self.sleep = self.enterContext(mock.patch.object(command.time, "sleep"))

    def make_run(self, ahead):
        moment = timezone.now() + dt.timedelta(seconds=ahead)
        JobRun.objects.update_or_create(name="assign_feed", defaults={"started_at": moment})

    def test_it_says_when_a_worker_was_last_seen(self):
        self.make_run(-3)

        self.assertRegex(command.last_seen(), "last seen [34] s ago")
        self.sleep.assert_not_called()

    def test_it_waits_for_another_run_where_the_clock_was_put_back(self):
        self.make_run(3600)

        self.assertRaisesMessage(Unhealthy, "none followed it", command.last_seen)
        self.sleep.side_effect = lambda seconds: self.make_run(0)
        self.assertEqual(command.last_seen(), "last seen 0 s ago")

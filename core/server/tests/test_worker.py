import datetime as dt
import io
import threading
import time
from unittest import mock

from django.core.management import CommandError, call_command
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import SimpleTestCase, TestCase, TransactionTestCase
from django.utils import timezone

from core.db.outages import Outages
from core.management.commands import worker as command
from core.models import JobRun
from core.server import jobs, worker
from core.server.condition import Unhealthy
from core.server.jobs import GATHER_SECONDS, Job, all_groups, all_jobs, wake
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

    def test_it_repeats_an_eager_job_soon_however_rarely_it_looks_by_itself(self):
        away = OperationalError(2003, "Can't connect")
        delays = []
        for is_eager in (True, False):
            job = Job("job", mock.Mock(side_effect=away), 120, is_eager=is_eager)
            runner = Runner(job, threading.Event())

            runner.run_once(NOW)
            delays.append(runner._delay())

        self.assertEqual(delays, [1, 120])

    def test_it_survives_a_database_that_is_away(self):
        runner = make_runner(lambda now: 0)

        with (
            mock.patch.object(JobRun.objects, "filter", side_effect=DatabaseError("gone")),
            mock.patch.object(worker.log, "warning") as warning,
        ):
            runner.run_once(NOW)

        warning.assert_called_once()


class RestTests(SimpleTestCase):
    """How long a job waits; `rest` is what one call of `_rest` waited."""

    def rest(self, runner):
        begun = time.monotonic()
        runner._rest(begun)
        return time.monotonic() - begun

    def test_it_waits_for_the_interval(self):
        self.assertGreaterEqual(self.rest(make_runner(mock.Mock(), 0.06)), 0.06)

    def test_it_runs_a_woken_job_at_once_and_only_once_for_many_calls(self):
        runner = make_runner(mock.Mock(), 60)
        threading.Timer(0.03, lambda: [runner.wake() for _ in range(100)]).start()

        waited = self.rest(runner)

        self.assertTrue(0.02 <= waited < 5, waited)

    def test_it_keeps_a_job_that_is_woken_all_the_time_from_spinning(self):
        runner = make_runner(mock.Mock(), 60)
        runner.wake()

        self.assertGreaterEqual(self.rest(runner), GATHER_SECONDS)

    def test_it_does_not_wake_a_job_that_fails(self):
        runner = make_runner(mock.Mock(), 0.25)
        runner.failures = 1
        runner.wake()

        with mock.patch.object(worker.Runner, "_delay", return_value=0.1):
            waited = self.rest(runner)

        self.assertGreaterEqual(waited, 0.1)

    def test_it_stops_a_resting_job_at_once_whether_it_fails_or_not(self):
        for failures in (0, 3):
            runner = make_runner(mock.Mock(), 60)
            runner.failures = failures
            runner.stopping.set()
            runner.wake()

            with self.subTest(failures=failures):
                self.assertLess(self.rest(runner), 5)

    def test_it_looks_again_soon_after_an_eager_job_found_work(self):
        runner = Runner(Job("job", mock.Mock(return_value=1), 9, is_eager=True), threading.Event())
        before = runner._delay()

        with mock.patch.object(Runner, "_record"), mock.patch.object(worker, "close_old_connections"):
            runner.run_once(NOW)
        found = runner._delay()
        runner._found_work -= worker.EAGER_FOR_SECONDS

        self.assertEqual((before, found, runner._delay()), (9, worker.EAGER_SECONDS, 9))


class ConnectionTests(SimpleTestCase):
    def closes(self, interval, *, failures=0, woken=()):
        runner = make_runner(mock.Mock(), interval)
        runner.failures = failures
        runner._woken = mock.Mock(**{"wait.side_effect": [*woken, False, True]})
        runner.stopping.set()
        with mock.patch.object(worker, "connection") as connection:
            runner._rest(time.monotonic())
        return connection.close.call_count

    def test_it_keeps_the_connection_of_a_frequent_job_and_gives_back_that_of_a_rare_one(self):
        self.assertEqual([self.closes(interval) for interval in (0.1, 1, 5, 3600)], [0, 0, 1, 1])
        self.assertEqual(self.closes(1, failures=4), 1)

    def test_it_keeps_the_connection_of_a_job_that_is_woken_soon(self):
        self.assertEqual(self.closes(3600, woken=[True]), 0)

    def test_it_begins_rare_jobs_one_after_the_other_and_frequent_ones_at_once(self):
        runners = worker.Runners(
            [Job(name, mock.Mock(), interval) for name, interval in zip("abc", (60, 1, 60), strict=True)]
        )

        starts = {name: runner.after_seconds for name, runner in runners.by_name.items()}

        self.assertEqual(starts, {"a": 0.0, "b": 0.0, "c": worker.APART_SECONDS})


class WorkTests(TransactionTestCase):
    def test_it_wakes_its_jobs_once_a_transaction_commits(self):
        woken, runs = threading.Event(), []

        def note(now):
            runs.append(now)
            if len(runs) == 2:
                woken.set()
            return 0

        def commit_then_wait(seconds):
            if len(runs) == 1:
                with transaction.atomic():
                    wake("other", "job")
                    self.assertFalse(woken.wait(0.1))
            return woken.wait(0.05)

        with mock.patch.object(Runner, "_record"), mock.patch.object(worker, "close_old_connections"):
            is_clean = work([Job("job", note, 60)], commit_then_wait, 8.0)

        self.assertEqual((is_clean, len(runs), jobs._wakers), (True, 2, []))

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

        self.assertEqual({name for name, count in counts.items() if count} - {"write_status_page"}, set())
        self.assertIn("assign_feed", counts)


class CommandTests(SimpleTestCase):
    def run_with(self, *arguments):
        ran = []
        with (
            mock.patch.object(command, "work", lambda chosen, *rest: ran.extend(chosen) or True),
            mock.patch.object(command, "StopSignals"),
            mock.patch.object(command, "limit_waits_of_worker"),
        ):
            call_command("worker", *arguments, stdout=io.StringIO())
        return {job.name for job in ran}

    def test_it_runs_all_jobs_or_the_chosen_groups(self):
        self.enterContext(mock.patch.dict(jobs._jobs, {"slow": Job("slow", lambda now: 0, 1, "slow")}))

        self.assertEqual(self.run_with(), {job.name for job in all_jobs()})
        self.assertEqual(self.run_with("--only", "slow"), {"slow"})
        self.assertEqual(self.run_with("--except", "slow"), self.run_with() - {"slow"})

    def test_it_refuses_what_leaves_no_job_or_contradicts_itself(self):
        for arguments, message in (
            (("--only", "nothing"), "There is no group of jobs named nothing; there are: "),
            (("--except", *all_groups()), "That leaves no job to run."),
            (("--except", "general", "--only", "general"), "not allowed with argument"),
        ):
            with self.subTest(arguments=arguments), self.assertRaisesMessage(CommandError, message):
                self.run_with(*arguments)


class LastSeenTests(TestCase):
    def setUp(self):
        self.sleep = self.enterContext(mock.patch.object(command.time, "sleep"))

    def make_run(self, ahead):
        moment = timezone.now() + dt.timedelta(seconds=ahead)
        for name in {job.group: job.name for job in all_jobs()}.values():
            JobRun.objects.update_or_create(name=name, defaults={"started_at": moment})

    def test_it_says_when_a_worker_was_last_seen(self):
        self.make_run(-3)

        self.assertRegex(command.last_seen(), "last seen [34] s ago")
        self.sleep.assert_not_called()

    def test_it_waits_for_another_run_where_the_clock_was_put_back(self):
        self.make_run(3600)

        self.assertRaisesMessage(Unhealthy, "none followed it", command.last_seen)
        self.sleep.side_effect = lambda seconds: self.make_run(0)
        self.assertEqual(command.last_seen(), "last seen 0 s ago")

import threading
from unittest import mock

from django.test import SimpleTestCase, TestCase

from core.server import jobs
from core.server.jobs import (
    GENERAL,
    Job,
    UnknownGroup,
    all_jobs,
    is_stopping,
    jobs_of,
    register_jobs,
    stopping_by,
    wake,
)


class RegisterJobsTests(SimpleTestCase):
    def test_it_runs_what_each_app_registered(self):
        names = {job.name for job in all_jobs()}

        self.assertLessEqual(
            {"prune_markers", "prune_sign_ins", "assign_feed", "process_intake", "evaluate_rules"}, names
        )

    def test_it_refuses_two_jobs_of_one_name(self):
        with mock.patch.dict(jobs._jobs):
            self.assertRaises(ValueError, register_jobs, Job("assign_feed", lambda now: 0, 1))

    def test_it_puts_the_jobs_that_deliver_into_a_group_of_their_own(self):
        delivering = {job.name: job.group for job in all_jobs() if job.name.startswith("deliver")}

        self.assertEqual(set(delivering.values()) - {"deliver"}, set(), delivering)


class JobsOfTests(SimpleTestCase):
    def setUp(self):
        jobs_here = [Job("one", lambda now: 0, 1), Job("two", lambda now: 0, 1), Job("three", lambda now: 0, 1, "slow")]
        self.enterContext(mock.patch.dict(jobs._jobs, {job.name: job for job in jobs_here}, clear=True))

    def test_it_chooses_groups_or_leaves_them_out(self):
        for only, leave_out, names in (
            ([], [], ["one", "two", "three"]),
            (["slow"], [], ["three"]),
            ([GENERAL, "slow"], [], ["one", "two", "three"]),
            ([], ["slow"], ["one", "two"]),
            ([], ["slow", GENERAL], []),
        ):
            with self.subTest(only=only, leave_out=leave_out):
                self.assertEqual([job.name for job in jobs_of(only, leave_out)], names)

    def test_it_refuses_a_group_that_does_not_exist_and_lists_those_that_do(self):
        for only, leave_out in ((["slwo"], []), ([], ["slwo"])):
            message = "There is no group of jobs named slwo; there are: general, slow."
            with self.subTest(only=only), self.assertRaisesMessage(UnknownGroup, message):
                jobs_of(only, leave_out)


class StoppingTests(SimpleTestCase):
    def test_it_stops_the_jobs_inside_and_none_after(self):
        stopping = threading.Event()
        with stopping_by(stopping):
            self.assertFalse(is_stopping())
            stopping.set()
            self.assertTrue(is_stopping())

        self.assertFalse(is_stopping())


class WakeTests(TestCase):
    def test_it_leaves_a_committed_transaction_alone_when_a_waker_fails(self):
        failing = mock.Mock(side_effect=OSError("The broker is away."))
        self.enterContext(mock.patch.object(jobs, "_wakers", [failing]))

        with self.captureOnCommitCallbacks(execute=True) as callbacks, mock.patch("django.test.testcases.logger"):
            wake("one", "two")
            wake()

        self.assertEqual((failing.call_args_list, len(callbacks)), ([mock.call(frozenset({"one", "two"}))], 1))

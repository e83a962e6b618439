from unittest import mock

from django.test import SimpleTestCase

from core.server import jobs
from core.server.jobs import Job, all_jobs, register_jobs


class RegisterJobsTests(SimpleTestCase):
    def test_it_runs_what_each_app_registered(self):
        names = {job.name for job in all_jobs()}

        self.assertLessEqual(
            {"prune_markers", "prune_sign_ins", "assign_feed", "process_intake", "evaluate_rules"}, names
        )

    def test_it_refuses_two_jobs_of_one_name(self):
        with mock.patch.dict(jobs._jobs):
            self.assertRaises(ValueError, register_jobs, Job("assign_feed", lambda now: 0, 1))

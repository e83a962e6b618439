"""Jenkins' builds: which of them raise an alert, which end it, and what a job is known by."""

import json
import time
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import AlertUpdate
from intake.requests import IntakeError, IntakeRequest
from integrations.jenkins import payload as jenkins


def parse(body: Any) -> list[AlertUpdate]:
    return jenkins.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))


def build(**said: Any) -> list[AlertUpdate]:
    return parse({"name": "shop", "build": {"number": 7, **said}})


class JenkinsTests(SimpleTestCase):
    def test_it_knows_how_a_build_ended(self):
        for status, ours in {
            "SUCCESS": ("resolve", ""),
            "FAILURE": ("fire", "high"),
            "UNSTABLE": ("fire", "medium"),
            "Still Failing": ("fire", "high"),
            "Fixed": ("resolve", ""),
            "Back to normal": ("resolve", ""),
        }.items():
            with self.subTest(status=status):
                [found] = build(phase="FINALIZED", status=status)

                self.assertEqual((found.action, found.severity, found.is_guess), (*ours, False))

    def test_it_opens_and_ends_nothing_by_what_goes_on_or_was_given_up(self):
        for said in (
            {"phase": "QUEUED"},
            {"phase": "STARTED"},
            {"phase": "STARTED", "status": "SUCCESS"},
            {"phase": "STARTED", "status": "FAILURE"},
            {"phase": "COMPLETED", "status": None},
            {"phase": "COMPLETED", "status": "ABORTED"},
            {"phase": "FINALIZED", "status": "NOT_BUILT"},
        ):
            with self.subTest(said=said):
                self.assertEqual(build(**said), [])
        for event in ("start", "pipeline"):
            self.assertEqual(parse({"projectName": "shop", "event": event}), [])

    def test_it_says_which_words_it_does_not_know(self):
        [found] = build(status="EXPLODED", phase="COMPLETED")

        self.assertEqual((found.action, found.is_guess, found.severity_word), ("fire", True, "EXPLODED"))
        self.assertEqual(found.severity, "")

    def test_it_knows_a_job_by_where_it_lies(self):
        for body, job in (
            ({"name": "main", "build": {"full_url": "https://j/job/shop/job/main/7/"}}, "shop/main"),
            ({"name": "main", "build": {"url": "job/shop/job/feature%252Fcart/7/"}}, "shop/feature%2Fcart"),
            ({"projectName": "test job", "buildUrl": "https://j/jenkins/job/test%20job/7/"}, "test job"),
            ({"JOB_NAME": "shop/main", "BUILD_URL": "${BUILD_URL}"}, "shop/main"),
            ({"jobName": "nightly", "url": "https://ci.example.org/7"}, "nightly"),
        ):
            with self.subTest(body=body):
                self.assertEqual(parse({**body, "result": "FAILURE"})[0].fingerprint, job)

    def test_it_keeps_credentials_of_a_repository_to_itself(self):
        [found] = build(status="FAILURE", scm={"url": "https://ann:s3cret@git.example.org/shop.git"})

        self.assertEqual(found.labels["repository"], "https://git.example.org/shop.git")

    def test_it_names_what_is_missing(self):
        for body, name in (
            ({"result": "FAILURE"}, "JOB_NAME"),
            ({"name": "shop", "build": {"number": 7}}, "build.status"),
        ):
            with self.subTest(name=name), self.assertRaisesRegex(IntakeError, name):
                parse(body)

    def test_it_does_not_look_for_a_job_for_ever(self):
        began = time.perf_counter()

        parse({"name": "shop", "result": "FAILURE", "url": "/job" * 2_000_000})

        self.assertLess(time.perf_counter() - began, 2)

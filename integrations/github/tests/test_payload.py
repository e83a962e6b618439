"""GitHub's signature, and which outcomes count."""

import hashlib
import hmac
import json
from typing import Any

from django.test import SimpleTestCase

from intake.requests import IntakeError, IntakeRequest
from integrations.github import payload as github

BODY = b'{"zen": "Plain"}'


def request(event: str, body: Any = None, **headers: str) -> IntakeRequest:
    sent = BODY if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return IntakeRequest("POST", "/", {"x-github-event": event, **named}, sent)


def run(conclusion: Any, **facts: Any) -> IntakeRequest:
    workflow = {"workflow_id": 7, "name": "CI", "head_branch": "main", "conclusion": conclusion, **facts}
    return request("workflow_run", {"workflow_run": workflow, "repository": {"full_name": "acme/shop"}})


def signature(body: bytes = BODY, secret: str = "secret") -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class GitHubTests(SimpleTestCase):
    def test_it_takes_what_is_signed_with_the_secret(self):
        self.assertIsNone(github.verify(request("push", x_hub_signature_256=signature()), "secret"))

    def test_it_refuses_what_is_not(self):
        sha1 = "sha1=" + hmac.new(b"secret", BODY, hashlib.sha1).hexdigest()
        for given in ("", signature(secret="other"), signature(b"{}"), signature()[7:], signature().upper(), sha1):
            with self.subTest(given=given), self.assertRaises(IntakeError) as caught:
                github.verify(request("push", x_hub_signature_256=given), "secret")
            self.assertEqual(caught.exception.status, 403)

    def test_it_asks_for_no_signature_without_a_secret(self):
        self.assertIsNone(github.verify(request("push"), ""))

    def test_it_greets_the_ping_only(self):
        self.assertTrue(github.greet(request("ping")))
        self.assertFalse(github.greet(request("workflow_run")))

    def test_it_tells_deliveries_apart(self):
        self.assertEqual(github.delivery_id(request("push", x_github_delivery="d-1")), "d-1")

    def test_it_knows_which_conclusions_count(self):
        expected: dict[Any, list[str]] = {
            **{key: ["fire"] for key in ("failure", "timed_out", "startup_failure")},
            "success": ["resolve"],
            **{key: [] for key in ("cancelled", "skipped", "neutral", "stale", "action_required", None)},
        }
        for conclusion, ours in expected.items():
            with self.subTest(conclusion=conclusion):
                self.assertEqual([update.action for update in github.parse(run(conclusion))], ours)

    def test_it_keeps_branches_and_workflows_apart(self):
        runs = [run("failure"), run("success"), run("failure", head_branch="fix"), run("failure", workflow_id=8)]

        failed, passed, *others = [github.parse(one)[0].fingerprint for one in runs]

        self.assertEqual(failed, passed)
        self.assertEqual(len({failed, *others}), 3)

    def test_it_knows_which_actions_on_alerts_count(self):
        for action, ours in {
            **{key: ["fire"] for key in ("created", "reopened", "appeared_in_branch", "auto_reopened")},
            **{key: ["resolve"] for key in ("fixed", "dismissed", "auto_dismissed", "resolved", "closed_by_user")},
            **{key: [] for key in ("assigned", "validated")},
        }.items():
            body = {"action": action, "alert": {"number": 1}, "repository": {"full_name": "acme/shop"}}
            with self.subTest(action=action):
                updates = github.parse(request("code_scanning_alert", body))

                self.assertEqual([update.action for update in updates], ours)

    def test_it_reads_a_form_whatever_it_is_declared_as(self):
        request = IntakeRequest(
            "POST", "/", {"content-type": "multipart/form-data; boundary=b"}, b"payload=%7B%7D&payload="
        )

        with self.assertRaises(IntakeError) as caught:
            github.parse(request)
        self.assertIn("X-GitHub-Event", caught.exception.message)

    def test_it_makes_nothing_of_other_events(self):
        self.assertEqual(github.parse(request("push", {"ref": "refs/heads/main"})), [])

"""Alertmanager's own API, to which a Prometheus posts."""

import base64
import datetime as dt
from typing import Any

from django.test import TestCase, override_settings
from django.utils import timezone

from alerts.models import Alert
from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source, post_json
from incidents.models import Incident
from intake.endpoints import basic_pair
from intake.models import IntakeEvent
from intake.requests import MAX_BYTES, IntakeRequest
from intake.vocabulary import IntakeState

PATH = "/api/v2/alerts"


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


class AlertmanagerApiTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.source = make_source(kind="prometheus")
        cls.key = make_key(cls.source)

    def send(self, *alerts: Any, path: str = PATH, authorization: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}" if authorization is None else authorization}
        return post_json(self.client, path, list(alerts), **headers)

    def alert(self, ends_in: float = 4, **labels: str) -> dict[str, Any]:
        """What Prometheus posts: its `endsAt` is some minutes ahead while it fires."""
        now = timezone.now()
        return {
            "labels": {"alertname": "DiskFull", "severity": "critical", **labels},
            "annotations": {"summary": "Disk is full"},
            "startsAt": (now - dt.timedelta(minutes=10)).isoformat(),
            "endsAt": (now + dt.timedelta(minutes=ends_in)).isoformat(),
            "generatorURL": "http://prometheus.example.com/graph",
        }

    def test_it_opens_and_resolves(self):
        fired = self.send(self.alert())
        process_waiting()
        opened = Incident.objects.get()
        ended = self.send(self.alert(ends_in=-1))
        process_waiting()

        self.assertEqual([(answer.status_code, answer.content) for answer in (fired, ended)], [(200, b"")] * 2)
        self.assertEqual((opened.title, opened.severity, opened.status), ("Disk is full", 4, "open"))
        self.assertEqual(Incident.objects.get().status, "resolved")

    def test_it_counts_what_is_sent_again_as_a_repeat(self):
        alert = self.alert()

        for path in (PATH, f"{PATH}/"):
            self.send(alert, path=path)
        process_waiting()

        self.assertEqual((Incident.objects.count(), Alert.objects.get().occurrences), (1, 2))

    def test_it_takes_the_key_as_the_password_of_basic_authentication(self):
        for name in ("prometheus", "", "Zürich"):
            response = self.send(self.alert(), authorization=basic(name, self.key))

            self.assertEqual(response.status_code, 200)

    def test_it_refuses_no_key_and_a_wrong_one(self):
        cases = {
            "": 401,
            "Bearer": 401,
            "Basic": 401,
            "Basic !": 401,
            "Basic /w==": 401,
            f"Token {self.key}": 401,
            basic(self.key, ""): 401,
            f"Bearer {'x' * 32}": 403,
            basic("prometheus", "x" * 32): 403,
        }

        for authorization, status in cases.items():
            with self.subTest(authorization=authorization):
                response = self.send(self.alert(), authorization=authorization)

                self.assertEqual(response.status_code, status)
        self.assertFalse(IntakeEvent.objects.exists())

    def test_it_says_what_is_wrong_and_keeps_it(self):
        for body in ({}, {"a": 1}, "x", [{"labels": {}}]):
            with self.subTest(body=body):
                response = post_json(self.client, PATH, body, Authorization=f"Bearer {self.key}")

                self.assertEqual((response.status_code, type(response.json())), (400, str))
        self.assertEqual(IntakeEvent.objects.filter(state=IntakeState.FAILED).count(), 4)

    def test_it_refuses_what_is_too_large(self):
        with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=2 * MAX_BYTES):
            response = self.send(self.alert(text="x" * MAX_BYTES))

        self.assertEqual(response.status_code, 413)

    def test_it_takes_an_empty_list(self):
        self.assertEqual((self.send().status_code, process_waiting()), (200, 1))


class BasicPasswordTests(TestCase):
    def test_it_reads_the_password(self):
        cases = {basic("a", "b:c"): "b:c", basic("", "b"): "b", "basic YTpi": "b", "Basic YQ==": "", "Bearer YTpi": ""}

        found = {given: basic_pair(IntakeRequest("POST", "/", {"authorization": given}))[1] for given in cases}

        self.assertEqual(found, cases)

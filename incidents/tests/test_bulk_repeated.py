"""A change to many that is sent again with its `Idempotency-Key`: after a crash, beside itself, a day later."""

from typing import Any
from unittest import mock

import time_machine
from django.db import OperationalError, connection
from django.test import TestCase
from django.utils import timezone

from core.db.transactions import DatabaseBusy
from core.models import IdempotentRequest
from incidents import services
from incidents.models import FeedCursor, Incident
from incidents.services import feed
from incidents.tests.factories import kinds_of, make_incident, minutes
from incidents.tests.test_concurrency import ConcurrencyTestCase, at_once
from users.tests.factories import client_of, make_admin, make_reporter

BULK = "/api/v1/incidents/bulk/"
UPDATE = "incidents.services.bulk.update"


class Bulk:
    admin: Any
    incidents: list[Incident]

    def send(self, *, key: str = "k", by: Any = None, **body: Any) -> Any:
        body = {"ids": [incident.pk for incident in self.incidents], "status": "acknowledged", **body}
        return client_of(by or self.admin).post(BULK, body, headers={"Idempotency-Key": key})

    def assert_once(self) -> None:
        for incident in self.incidents:
            assert kinds_of(incident) == ["created", "acknowledged"], kinds_of(incident)


class RepeatedTests(Bulk, TestCase):
    def setUp(self) -> None:
        self.admin = make_admin()
        self.incidents = [make_incident() for _ in range(3)]

    def test_it_gives_the_first_answer_again(self) -> None:
        first, again = self.send(), self.send()

        self.assertEqual((first.status_code, again.status_code), (200, 200))
        self.assertEqual(again.json(), first.json())
        self.assertEqual(again["Idempotent-Replayed"], "true")
        self.assertEqual([row["ok"] for row in first.json()["results"]], [True] * 3)
        self.assert_once()

    def test_it_does_what_a_crash_left(self) -> None:
        calls: list[Any] = []

        def dies_at_the_third(incident: Any, **change: Any) -> Any:
            calls.append(incident.pk)
            if len(calls) == 3:
                raise RuntimeError("the process died here")
            return services.update(incident, **change)

        with mock.patch(UPDATE, dies_at_the_third), self.assertRaises(RuntimeError):
            self.send()
        self.assertEqual(Incident.objects.filter(status="acknowledged").count(), 2)

        with mock.patch(UPDATE, wraps=services.update) as update:
            answer = self.send().json()

        self.assertEqual(update.call_count, 1)
        self.assertEqual([(row["ok"], row["is_changed"]) for row in answer["results"]], [(True, True)] * 3)
        self.assert_once()

    def test_it_refuses_the_key_with_other_content_at_once(self) -> None:
        with mock.patch(UPDATE, side_effect=RuntimeError), self.assertRaises(RuntimeError):
            self.send()

        other = self.send(status="resolved")

        self.assertEqual((other.status_code, other.json()["code"]), (409, "idempotency_key_reused"))

    def test_it_remembers_refusals(self) -> None:
        reporter = make_reporter()

        for _time in range(2):
            self.assertEqual(self.send(by=reporter).status_code, 403)
            self.assertEqual(self.send(ids=[]).status_code, 400)
        refused = self.send(key="other", status="closed").json()["results"]
        self.assertEqual([row["code"] for row in refused], ["invalid_transition"] * 3)

    def test_it_tries_again_what_the_database_had_no_time_for(self) -> None:
        with mock.patch(UPDATE, side_effect=[DatabaseBusy(), *[Incident.objects.first()] * 2]):
            first = self.send().json()["results"]
        self.assertEqual([row["ok"] for row in first], [False, True, True])
        self.assertEqual(first[0]["code"], "database_busy")

        with mock.patch(UPDATE, wraps=services.update) as update:
            again = self.send().json()["results"]

        self.assertEqual((update.call_count, again[0]["ok"]), (1, True))

    def test_it_forgets_after_a_day(self) -> None:
        self.send()
        with time_machine.travel(timezone.now() + minutes(25 * 60), tick=False):
            again = self.send(status="resolved")

        self.assertEqual([row["status"] for row in again.json()["results"]], ["resolved"] * 3)

    def test_it_has_a_transaction_for_each(self) -> None:
        depths: list[int] = []

        def measured(incident: Any, **change: Any) -> Any:
            depths.append(len(connection.savepoint_ids))
            return services.update(incident, **change)

        with mock.patch(UPDATE, measured):
            self.send()

        self.assertEqual(len(set(depths)), 1)
        self.assertEqual(IdempotentRequest.objects.count(), 4)


class AtOnceTests(Bulk, ConcurrencyTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.admin = make_admin()
        self.incidents = [make_incident() for _ in range(12)]

    def test_it_does_each_once_for_two_that_send_the_same(self) -> None:
        first, second = at_once(self.send, self.send)

        self.assertEqual((first.status_code, second.status_code), (200, 200), (first.content, second.content))
        self.assertEqual(first.json(), second.json())
        self.assert_once()

    def test_it_does_not_block_one_that_goes_the_other_way(self) -> None:
        backwards = [incident.pk for incident in reversed(self.incidents)]

        answers = at_once(
            lambda: self.send(key="a", status="in_progress"),
            lambda: self.send(key="b", ids=backwards, status="in_progress"),
        )

        for answer in answers:
            self.assertEqual([row["ok"] for row in answer.json()["results"]], [True] * 12, answer.content)


class ConsumeTests(TestCase):
    def test_it_tries_again_after_a_deadlock(self) -> None:
        make_incident()
        feed.assign_places()
        handle = mock.Mock(side_effect=[OperationalError(1213, "Deadlock found"), None])

        with mock.patch("core.db.transactions.connection") as outermost:
            outermost.in_atomic_block, outermost.vendor = False, connection.vendor
            outermost.settings_dict = {"NAME": ":memory:"}
            consumed = feed.consume("somebody", handle)

        self.assertEqual((consumed, handle.call_count), (1, 2))
        self.assertEqual(FeedCursor.objects.get(name="somebody").position, 1)

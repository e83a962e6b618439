"""What is answered 2xx is stored; what cannot be read is kept; nothing is a 500."""

import gzip
import json
from unittest import mock

from django.db import DatabaseError, OperationalError
from django.test import TestCase

from alerts.models import Alert
from alerts.services import process_waiting
from alerts.services.processing import MOST_UPDATES
from alerts.tests.factories import make_key, make_source, post_json
from core.db.transactions import DatabaseBusy
from incidents.models import Incident
from intake.endpoints import Endpoint, find
from intake.limits import rate_counter
from intake.models import IntakeEvent
from intake.requests import MAX_BYTES, IntakeRequest
from intake.services import sources
from intake.services.queue import replay
from intake.serving import PendingWrite, read, serve, store
from intake.vocabulary import IntakeState

GOOD = {"title": "Disk full", "key": "disk", "severity": "high"}


class ServingTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source()
        self.path = f"/intake/{make_key(self.source)}/"

    def test_it_stores_what_came_byte_for_byte_without_what_lets_anybody_in(self) -> None:
        body = b'{"title": "Disk full",  "key": "disk"}'

        self.client.post(self.path, body, content_type="text/plain", headers={"Authorization": "Bearer secret"})

        event = IntakeEvent.objects.get()
        self.assertEqual((bytes(event.body), event.state, event.format), (body, IntakeState.WAITING, "generic"))
        self.assertNotIn("secret", json.dumps(event.headers))

    def test_it_keeps_what_cannot_be_read_with_the_reason(self) -> None:
        response = self.client.post(self.path, b'{"title": ', content_type="application/json")

        event = IntakeEvent.objects.get()
        self.assertEqual((response.status_code, event.state), (400, IntakeState.FAILED))
        self.assertIn("not valid JSON", event.reason)
        self.assertEqual(response.json()["detail"], event.reason)

    def test_it_refuses_and_does_not_keep_more_alerts_than_are_worked_off_at_once(self) -> None:
        alerts = [{"status": "firing", "labels": {"alertname": f"Disk {number}"}} for number in range(MOST_UPDATES + 1)]
        path = f"/intake/{make_key(make_source(kind='alertmanager'))}/"

        refused = post_json(self.client, path, {"version": "4", "status": "firing", "alerts": alerts})
        result = post_json(self.client, path, {"version": "4", "status": "firing", "alerts": alerts[1:]})

        self.assertEqual((refused.status_code, result.status_code), (413, 202))
        self.assertIn("10,001 alerts in the request; one may hold 10,000", refused.json()["detail"])
        self.assertEqual(IntakeEvent.objects.count(), 1)

    def test_it_stores_the_largest_body_whatever_its_bytes_are(self) -> None:
        body = b'{"title": "' + b"\\\\" * 4_990_000 + b'"}'  # each of them is doubled on its way to the database
        request = IntakeRequest("POST", self.path, {}, body)
        endpoint = find("POST", self.path)
        assert endpoint is not None

        response = serve(endpoint, request)

        event = IntakeEvent.objects.get()
        self.assertEqual((response.status, event.state, event.byte_count), (202, IntakeState.WAITING, len(body)))
        self.assertTrue(bytes(event.body) == body)  # said without showing it

    def test_it_refuses_for_good_what_the_database_never_takes(self) -> None:
        error = OperationalError(1153, "Got a packet bigger than 'max_allowed_packet' bytes")
        with mock.patch("intake.services.queue.rows.insert", side_effect=error):
            answers = [post_json(self.client, self.path, GOOD)]
            [first, second] = store([self.pending(), self.pending()])

        self.assertEqual([answer.status_code for answer in answers], [413])
        self.assertEqual((first.status, second.status), (413, 413))
        self.assertNotIn("Retry-After", answers[0])

    def pending(self) -> PendingWrite:
        endpoint = find("POST", self.path)
        assert endpoint is not None
        found = read(endpoint, IntakeRequest("POST", self.path, {}, json.dumps(GOOD).encode()))
        assert isinstance(found, PendingWrite)
        return found

    def test_it_works_off_a_replay_after_a_fix(self) -> None:
        self.client.post(self.path, b"title: Disk full", content_type="text/plain")
        event = IntakeEvent.objects.get()
        IntakeEvent.objects.filter(pk=event.pk).update(body=json.dumps(GOOD).encode())

        again = replay([event.pk])
        process_waiting()

        self.assertEqual((again, Alert.objects.get().title), (1, "Disk full"))
        self.assertEqual(replay([event.pk]), 0)

    def test_it_takes_compressed_bodies(self) -> None:
        body = gzip.compress(json.dumps(GOOD).encode())

        response = self.client.post(self.path, body, content_type="", headers={"Content-Encoding": "gzip"})
        process_waiting()

        self.assertEqual((response.status_code, Alert.objects.get().title), (202, "Disk full"))

    def read(self, endpoint: Endpoint, value: object) -> PendingWrite:
        found = read(endpoint, IntakeRequest("POST", self.path, {}, json.dumps(value).encode()))
        assert isinstance(found, PendingWrite)
        return found

    def test_it_waits_once_for_a_database_that_is_busy(self) -> None:
        endpoint = find("POST", self.path)
        assert endpoint is not None
        pending = [self.read(endpoint, GOOD) for _ in range(3)]

        with mock.patch("intake.serving._store", side_effect=DatabaseBusy()) as kept:
            replies = store(pending)

        self.assertEqual(([response.status for response in replies], kept.call_count), ([503, 503, 503], 1))

    def test_it_refuses_wrong_keys_and_keeps_nothing_of_them(self) -> None:
        for path, status in (("/intake/nobody/", 403), ("/intake/%20/", 403), ("/intake/\ud800/", 403)):
            with self.subTest(path):
                response = post_json(self.client, path.encode("utf-8", "surrogatepass").decode("latin-1"), GOOD)

                self.assertEqual((response.status_code, IntakeEvent.objects.count()), (status, 0))

    def test_it_takes_in_nothing_for_a_source_that_is_switched_off(self) -> None:
        type(self.source).objects.update(is_enabled=False)
        sources.clear_cache()

        self.assertEqual(post_json(self.client, self.path, GOOD).status_code, 403)

    def test_it_refuses_what_is_too_large(self) -> None:
        endpoint = find("POST", self.path)
        assert endpoint is not None

        response = serve(endpoint, IntakeRequest("POST", self.path, {}, b"x" * (MAX_BYTES + 1)))

        self.assertEqual((response.status, IntakeEvent.objects.count()), (413, 0))

    def test_it_asks_to_send_again_when_nothing_can_be_stored(self) -> None:
        with mock.patch("intake.services.queue.rows.insert", side_effect=DatabaseError("gone")):
            response = post_json(self.client, self.path, GOOD)

        self.assertEqual((response.status_code, response["Retry-After"]), (503, "5"))
        self.assertEqual(IntakeEvent.objects.count(), 0)

    def test_it_keeps_the_others_when_one_of_a_batch_cannot_be_stored(self) -> None:
        endpoint = find("POST", self.path)
        assert endpoint is not None
        pending = [self.read(endpoint, {**GOOD, "key": key}) for key in "abc"]
        insert = IntakeEvent.objects.bulk_create

        def refuse_b(*events: IntakeEvent) -> None:
            if any(b'"b"' in bytes(event.body) for event in events):
                raise DatabaseError("b")
            insert(events)

        with mock.patch("intake.services.queue.rows.insert", side_effect=refuse_b):
            replies = store(pending)

        self.assertEqual([response.status for response in replies], [202, 503, 202])
        self.assertEqual(IntakeEvent.objects.count(), 2)

    def test_it_keeps_what_an_adapter_stumbles_over(self) -> None:
        with mock.patch("integrations.generic.payload.parse", side_effect=RuntimeError("bug")):
            response = post_json(self.client, self.path, GOOD)

        self.assertEqual((response.status_code, IntakeEvent.objects.get().state), (400, IntakeState.FAILED))

    def test_it_takes_a_numbered_delivery_once(self) -> None:
        source = make_source(kind="github")
        path = f"/intake/{make_key(source)}/"
        run = {"name": "build", "head_branch": "main", "conclusion": "failure", "workflow_id": 1, "id": 2}
        body = {"action": "completed", "workflow_run": run, "repository": {"full_name": "a/b"}}
        headers = {"X-GitHub-Event": "workflow_run", "X-GitHub-Delivery": "one"}

        answers = [post_json(self.client, path, body, **headers).status_code for _ in range(3)]
        process_waiting()

        self.assertEqual((answers, IntakeEvent.objects.count()), ([202] * 3, 1))
        self.assertEqual(Incident.objects.count(), 1)


class LimitTests(TestCase):
    def test_it_turns_away_what_is_too_much_and_tells_the_admin_once(self) -> None:
        source = make_source(rate_limit=2)
        path = f"/intake/{make_key(source)}/"
        rate_counter.__init__()  # type: ignore[misc]  # as if the minute had just begun

        with mock.patch("intake.limits.time.time", return_value=1_000_000.0):
            answers = [post_json(self.client, path, GOOD) for _ in range(5)]

        self.assertEqual([answer.status_code for answer in answers], [202, 202, 429, 429, 429])
        self.assertEqual(answers[-1]["Retry-After"], "21")
        limited = IntakeEvent.objects.get(state=IntakeState.LIMITED)
        self.assertIn("more than its 2 requests", limited.reason)

    def test_it_starts_anew_with_the_minute(self) -> None:
        source = make_source(rate_limit=1)
        path = f"/intake/{make_key(source)}/"
        rate_counter.__init__()  # type: ignore[misc]
        answers = []

        for second in (0.0, 1.0, 60.0):
            with mock.patch("intake.limits.time.time", return_value=1_000_020.0 + second):
                answers.append(post_json(self.client, path, GOOD).status_code)

        self.assertEqual(answers, [202, 429, 202])

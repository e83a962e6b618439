"""Lists of alerts of which some cannot be read."""

import json
from typing import Any

from django.test import SimpleTestCase, TestCase

from alerts.models import Alert
from alerts.services import process_waiting
from alerts.tests.factories import make_key, make_source, post_json
from alerts.updates import AlertUpdates
from intake.models import IntakeEvent
from intake.requests import IntakeError, IntakeRequest
from intake.services.queue import replay
from intake.vocabulary import IntakeState
from integrations.alertmanager import payload as alertmanager
from integrations.generic import payload as generic
from integrations.grafana import payload as grafana
from integrations.prometheus import payload as prometheus

GOOD, BAD = {"labels": {"alertname": "Disk"}, "fingerprint": "a", "startsAt": "2026-11-29T10:00:00Z"}, {"labels": {}}
GROUP = {"version": "4", "status": "firing", "receiver": "r"}
LISTS: dict[Any, tuple[Any, Any]] = {
    generic: ([{"title": "Disk"}, {"foo": 1}, 3], [{"foo": 1}, 3]),
    alertmanager: ({**GROUP, "alerts": [GOOD, BAD, "x"]}, {**GROUP, "alerts": [BAD, "x"]}),
    grafana: ({**GROUP, "alerts": [GOOD, BAD, None]}, {**GROUP, "alerts": [BAD, None]}),
    prometheus: ([GOOD, BAD, 7], [BAD, 7]),
}


def request(body: Any) -> IntakeRequest:
    return IntakeRequest("POST", "/", {}, json.dumps(body).encode())


class ReadingTests(SimpleTestCase):
    def test_it_keeps_what_of_a_list_cannot_be_read_beside_the_rest(self):
        for reader, (body, left) in LISTS.items():
            with self.subTest(reader=reader.__name__):
                updates: AlertUpdates = reader.parse(request(body))

                assert updates.leftover is not None
                self.assertEqual((len(updates), json.loads(updates.leftover.body)), (1, left))
                self.assertEqual([number for number, _why in updates.leftover.reasons], [2, 3])

    def test_it_refuses_a_list_of_which_nothing_can_be_read(self):
        for reader, (_body, left) in LISTS.items():
            with self.subTest(reader=reader.__name__), self.assertRaises(IntakeError) as refused:
                reader.parse(request(left))
            self.assertIn("None of the 2 can be read. Item 1: ", refused.exception.message)


class KeepingTests(TestCase):
    def test_it_takes_the_good_and_keeps_the_bad_for_a_replay(self):
        source = make_source(templates={})
        body = [{"title": "Queue", "key": "q"}, {"text_of": "Disk is full", "key2": "d"}, {"title": "Load", "key": "l"}]

        response = post_json(self.client, f"/intake/{make_key(source)}/", body)
        process_waiting()
        first, left = IntakeEvent.objects.order_by("pk")
        source.templates = {"title": "{{ text_of }}", "key": "{{ key2 }}"}
        source.save(update_fields=["templates"])
        before = set(Alert.objects.values_list("fingerprint", flat=True))
        replay([left.pk])
        process_waiting()

        self.assertEqual((response.status_code, response.json()["alerts"]), (202, 2))
        self.assertEqual([one["item"] for one in response.json()["unread"]], [2])
        self.assertEqual((before, first.state, first.alert_count), ({"q", "l"}, IntakeState.DONE, 2))
        self.assertEqual((left.state, left.source), (IntakeState.FAILED, source))
        self.assertIn("Item 2: The payload has no title", left.reason)
        self.assertEqual(set(Alert.objects.values_list("fingerprint", flat=True)), {"q", "l", "d"})
        self.assertEqual(IntakeEvent.objects.filter(state=IntakeState.FAILED).count(), 0)

    def test_it_refuses_what_holds_nothing_and_keeps_it_with_the_reason(self):
        source = make_source()

        response = post_json(self.client, f"/intake/{make_key(source)}/", [{"foo": 1}, {"bar": 2}])

        self.assertEqual(response.status_code, 400)
        self.assertIn("Item 2: The payload has no title", response.json()["detail"])
        self.assertEqual(IntakeEvent.objects.get().state, IntakeState.FAILED)

    def test_it_keeps_what_is_left_of_what_is_left(self):
        source = make_source()
        post_json(self.client, f"/intake/{make_key(source)}/", [{"title": "a"}, {"x": 1}, {"y": 2}])
        process_waiting()
        left = IntakeEvent.objects.get(state=IntakeState.FAILED)
        source.templates = {"title": "{{ x }}"}
        source.save(update_fields=["templates"])

        replay([left.pk])
        process_waiting()

        still = IntakeEvent.objects.get(state=IntakeState.FAILED)
        self.assertEqual(json.loads(bytes(still.body)), [{"y": 2}])
        self.assertEqual(set(Alert.objects.values_list("title", flat=True)), {"a", "1"})

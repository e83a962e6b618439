import base64
import datetime as dt
from unittest import mock

from django.test import TestCase
from django.utils import timezone

from alerts.services import process_waiting
from alerts.tests.factories import fire, make_key, make_route, make_source
from intake import views
from intake.models import IntakeEvent
from intake.services.queue import NO_ALERT
from intake.vocabulary import IntakeState
from users.tests.factories import client_of, make_admin

EVENTS = "/api/v1/intake-events/"


class IntakeCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin, cls.source = make_admin(), make_source()

    def setUp(self):
        self.client = client_of(self.admin)

    def make(self, body=b"{}", *, state=IntakeState.FAILED, source=None, at=None, **fields):
        return IntakeEvent.objects.create(
            **{
                "source": source or self.source,
                "format": "generic",
                "body": body,
                "byte_count": len(body),
                "state": state,
                **fields,
            },
            received_at=at or timezone.now(),
        )

    def ids(self, **query):
        return [one["id"] for one in self.client.get(EVENTS, query).json()["results"]]


class LookTests(IntakeCase):
    def test_it_shows_what_a_sender_sent_and_why_it_failed(self):
        key = make_key(self.source)
        refused = self.client.post(f"/intake/{key}/?a=b", data=b"{broken", content_type="application/json")

        listed = self.client.get(EVENTS).json()["results"][0]
        shown = self.client.get(f"{EVENTS}{listed['id']}/").json()

        self.assertEqual(refused.status_code, 400)
        self.assertEqual((listed["state"], listed["size"], listed["source"]), ("failed", 7, self.source.pk))
        self.assertIn("JSON", listed["reason"])
        self.assertEqual((shown["body"], shown["body_encoding"]), ("{broken", "text"))
        self.assertEqual(shown["headers"]["query"], "a=b")
        self.assertNotIn("body", listed)
        self.assertEqual({**listed, "body": "{broken", "body_encoding": "text"}, shown)

    def test_it_shows_bytes_in_base64(self):
        for body in (b"\xff\xfe", b"\x00", b"\x1b[31m"):
            with self.subTest(body=body):
                shown = self.client.get(f"{EVENTS}{self.make(body).pk}/").json()

                self.assertEqual(shown["body_encoding"], "base64")
                self.assertEqual(base64.b64decode(shown["body"]), body)

    def test_it_filters(self):
        now, other = timezone.now(), make_source()
        old = self.make(at=now - dt.timedelta(hours=2), state=IntakeState.DONE)
        young, third = self.make(), self.make(source=other, state=IntakeState.WAITING)
        hour_ago = (now - dt.timedelta(hours=1)).isoformat()
        table = [
            ({}, [third, young, old]),
            ({"state": "failed"}, [young]),
            ({"state": "failed,done"}, [young, old]),
            ({"source": other.pk}, [third]),
            ({"since": hour_ago}, [third, young]),
            ({"until": hour_ago}, [old]),
            ({"state": "done", "source": self.source.pk, "until": hour_ago}, [old]),
        ]
        for query, expected in table:
            with self.subTest(query=query):
                self.assertEqual(self.ids(**query), [event.pk for event in expected])

    def test_it_refuses_what_nobody_reads(self):
        for query in ({"colour": "red"}, {"state": "lost"}, {"source": "x"}, {"since": "x"}, {"ordering": "state"}):
            with self.subTest(query=query):
                self.assertEqual(self.client.get(EVENTS, query).status_code, 400)

    def test_it_lists_without_the_bodies(self):
        for _number in range(10):
            self.make(b"x" * 100_000)

        with self.assertNumQueries(1) as queries:
            answer = self.client.get(EVENTS)

        self.assertEqual({one["size"] for one in answer.json()["results"]}, {100_000})
        self.assertNotRegex(queries[0]["sql"], r"SELECT.*`?\"?intake_intakeevent`?\"?\.`?\"?body`?\"?,")

    def test_it_knows_no_other(self):
        for pk in (0, 10**30):
            with self.subTest(pk=pk):
                self.assertEqual(self.client.get(f"{EVENTS}{pk}/").status_code, 404)


class ReplayTests(IntakeCase):
    def test_it_works_one_off_again(self):
        event = self.make(b'{"title": "Disk full"}', reason="An adapter had a mistake.")

        answer = self.client.post(f"{EVENTS}{event.pk}/replay/")
        process_waiting()

        event.refresh_from_db()
        self.assertEqual(answer.json(), {"replayed": 1, "has_more": False})
        self.assertEqual((event.state, event.reason, event.alert_count), (IntakeState.DONE, "", 1))

    def test_it_does_nothing_twice(self):
        fire(self.source)
        event = IntakeEvent.objects.get()

        answer = self.client.post(f"{EVENTS}{event.pk}/replay/")

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "not_replayable"))
        self.assertEqual(IntakeEvent.objects.get().state, IntakeState.DONE)

    def test_it_replays_many(self):
        other = make_source()
        mine, theirs = [self.make().pk for _ in range(3)], self.make(source=other)
        dropped = self.make(state=IntakeState.DROPPED)
        done = self.make(state=IntakeState.DONE)
        empty = self.make(state=IntakeState.IGNORED, reason=NO_ALERT)
        understood = self.make(state=IntakeState.IGNORED, reason="It ends what was not firing.", alert_count=1)
        table = [
            ({"ids": [mine[0], done.pk, 10**9]}, 1),
            ({"state": "failed", "source": self.source.pk}, 2),
            ({"state": "failed"}, 1),
            ({"state": "dropped"}, 1),
            ({"state": "dropped"}, 0),
            ({"state": "ignored"}, 1),
            ({"ids": [understood.pk]}, 0),
        ]
        for body, number in table:
            with self.subTest(body=body):
                answer = self.client.post(f"{EVENTS}replay/", body)

                self.assertEqual(answer.json(), {"replayed": number, "has_more": False})
        waiting = set(IntakeEvent.objects.waiting().values_list("pk", flat=True))
        self.assertEqual(waiting, {*mine, theirs.pk, dropped.pk, empty.pk})

    def test_it_replays_so_many_at_once(self):
        events = [self.make().pk for _ in range(5)]

        with mock.patch.object(views, "MOST_AT_ONCE", 3):
            first = self.client.post(f"{EVENTS}replay/", {"state": "failed"}).json()
            second = self.client.post(f"{EVENTS}replay/", {"state": "failed"}).json()

        self.assertEqual((first, second), ({"replayed": 3, "has_more": True}, {"replayed": 2, "has_more": False}))
        self.assertEqual(IntakeEvent.objects.waiting().count(), len(events))

    def test_it_refuses_what_is_not_clear(self):
        bodies = [
            {},
            {"ids": []},
            {"ids": [1], "state": "failed"},
            {"ids": [1], "source": 1},
            {"state": "done"},
            {"state": "waiting"},
            {"ids": list(range(1, 1002))},
            {"ids": ["x"]},
            {"source": 1},
        ]
        for body in bodies:
            with self.subTest(body=str(body)[:60]):
                self.assertEqual(self.client.post(f"{EVENTS}replay/", body).status_code, 400)

    def test_it_replays_what_a_route_dropped(self):
        route = make_route(is_drop=True)
        key = make_key(self.source)
        self.client.post(f"/intake/{key}/", {"title": "Disk full"})
        process_waiting()
        event = IntakeEvent.objects.get()
        self.assertEqual(event.state, IntakeState.DROPPED)
        route.delete()

        self.client.post(f"{EVENTS}{event.pk}/replay/")
        process_waiting()

        event.refresh_from_db()
        self.assertEqual((event.state, event.alert_count), (IntakeState.DONE, 1))

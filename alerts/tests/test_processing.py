"""From the queue to alerts and incidents."""

import datetime as dt
from unittest import mock

from django.db import OperationalError
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from alerts.models import Alert
from alerts.services import enqueue, process_waiting, processing, writing
from alerts.tests.factories import fire, make_key, make_source, post_json, receive, resolve
from alerts.updates import Action, AlertUpdate
from incidents.models import Incident
from intake.models import IntakeEvent, Source
from intake.readers import examples, payload_readers
from intake.vocabulary import IntakeState


class ProcessingTests(TestCase):
    def test_it_makes_an_incident_of_an_alert(self):
        source = make_source(kind="alertmanager")
        body = examples(payload_readers()["alertmanager"])[0]["body"]

        response = post_json(self.client, f"/intake/{make_key(source)}/", body)
        process_waiting()

        self.assertEqual((response.status_code, response.json()), (202, {"accepted": True, "alerts": 2}))
        incident = Incident.objects.get()
        self.assertEqual(
            (incident.title, incident.severity, incident.origin_system), ("Disk almost full", 4, "alertmanager")
        )
        self.assertEqual(Alert.objects.get(fingerprint="aaaa000000000001").incident, incident)
        self.assertEqual(IntakeEvent.objects.get().state, IntakeState.DONE)

    def test_it_counts_repeats_and_opens_nothing_new(self):
        source = make_source()

        for _ in range(3):
            alert = fire(source)

        self.assertEqual((alert.occurrences, Incident.objects.count()), (3, 1))

    def test_it_resolves_the_incident_with_its_last_alert(self):
        source = make_source(group_by=["service"])
        fire(source, "a", labels={"service": "db"})
        fire(source, "b", labels={"service": "db"})

        resolve(source, "a")
        open_still = Incident.objects.get().status
        resolve(source, "b")

        self.assertEqual((open_still, Incident.objects.get().status), ("open", "resolved"))

    def test_it_reopens_within_the_window_and_opens_another_after_it(self):
        source = make_source(reopen_minutes=60)
        now = timezone.now()
        fire(source, at=now)
        resolve(source, at=now + dt.timedelta(minutes=1))

        fire(source, at=now + dt.timedelta(minutes=30))
        reopened = Incident.objects.get()
        resolve(source, at=now + dt.timedelta(minutes=31))
        fire(source, at=now + dt.timedelta(hours=3))

        self.assertEqual((reopened.status, reopened.reopen_count), ("open", 1))
        self.assertEqual(sorted(Incident.objects.values_list("status", flat=True)), ["open", "resolved"])

    def test_it_takes_a_beginning_that_lies_ahead_for_none(self):
        source, now = make_source(), timezone.now()
        ahead = fire(source, starts_at=now + dt.timedelta(days=400), at=now)
        resolve(source, at=now + dt.timedelta(minutes=1))

        again = fire(source, starts_at=now + dt.timedelta(minutes=2), at=now + dt.timedelta(minutes=2))

        self.assertEqual((ahead.starts_at, again.status), (now, "firing"))

    def test_it_tells_who_acknowledged_and_what_was_said_at_the_end(self):
        source = make_source()
        fire(source)

        receive(source, AlertUpdate(title="", action=Action.ACKNOWLEDGE, fingerprint="a", user="Kim"))
        resolve(source, note="Restarted it.", user="Kim")

        told = (
            Incident.objects.get()
            .events.exclude(actor_name="")
            .values_list("kind", "body", "actor_name", "machine_name")
        )
        self.assertEqual(
            list(told), [("acknowledged", "", "Kim", source.name), ("comment", "Restarted it.", "Kim", source.name)]
        )


class FaultTests(TransactionTestCase):
    """An event whose rows the database does not take, before one that is good."""

    def setUp(self) -> None:
        source = make_source()
        for title in ("bad", "good"):
            enqueue(source, [AlertUpdate(title=title, fingerprint=title)])

    def process(self, *fault: object) -> list[str]:
        def insert(alerts: list[Alert]) -> None:
            if any(alert.title == "bad" for alert in alerts):
                raise OperationalError(*fault)

        with mock.patch.object(writing, "insert_labels", insert):
            process_waiting()
        return list(IntakeEvent.objects.order_by("id").values_list("state", flat=True))

    def test_it_dead_letters_what_the_database_does_not_take(self):
        states = self.process(1153, "Got a packet bigger than 'max_allowed_packet' bytes")

        self.assertEqual(states, ["failed", "done"])

    def test_it_dead_letters_what_makes_too_long_a_statement(self):
        states = self.process("too many SQL variables")

        self.assertEqual(states, ["failed", "done"])

    def test_it_waits_for_a_database_that_is_away(self):
        with self.assertRaises(OperationalError):
            self.process(2003, "Can't connect to server")

        self.assertEqual(set(IntakeEvent.objects.values_list("state", flat=True)), {"waiting"})


class ReaderTests(TransactionTestCase):
    """A replayed request that another app reads, and whose rows the database does not take."""

    def process(self, *fault: object) -> list[str]:
        def read(event: IntakeEvent) -> None:
            make_source(name="half done")
            raise OperationalError(*fault)

        source = make_source()
        IntakeEvent.objects.create(source=source, format="elsewhere", body=b"", received_at=timezone.now())
        enqueue(source, [AlertUpdate(title="good", fingerprint="good")])
        with mock.patch.dict(processing._replay_readers, {"elsewhere": read}):
            process_waiting()
        return list(IntakeEvent.objects.order_by("id").values_list("state", flat=True))

    def test_it_dead_letters_what_the_database_does_not_take(self):
        with self.assertLogs(level="ERROR"):
            states = self.process(1153, "Got a packet bigger than 'max_allowed_packet' bytes")

        self.assertEqual(states, ["failed", "done"])
        self.assertIn("max_allowed_packet", IntakeEvent.objects.get(state=IntakeState.FAILED).reason)
        self.assertFalse(Source.objects.filter(name="half done").exists())

    def test_it_waits_for_a_database_that_is_away(self):
        with self.assertRaises(OperationalError):
            self.process(2003, "Can't connect to server")

        self.assertEqual(set(IntakeEvent.objects.values_list("state", flat=True)), {"waiting"})

"""Many senders, workers and people at once, with real threads and real commits."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

from django.db import IntegrityError, OperationalError, connection
from django.test import override_settings
from django.utils import timezone

from alerts.decide import BatchProcessor
from alerts.effects import Effect
from alerts.models import Alert, AlertGroup
from alerts.services import enqueue, merge, process_waiting, processing
from alerts.services.maintenance import expire
from alerts.tests.documented import make_update, statuses
from alerts.tests.factories import fire, make_source
from incidents.models import Incident
from incidents.services import acknowledge
from incidents.services import resolve as resolve_incident
from incidents.tests.factories import kinds_of
from incidents.tests.test_concurrency import ConcurrencyTestCase, at_once
from intake.models import IntakeEvent
from intake.requests import IntakeRequest, IntakeResponse
from intake.results import IntakeResult
from intake.services.queue import delivery_key, event_of, store_events
from intake.serving import serve
from intake.vocabulary import IntakeState
from users.tests.factories import make_responder

WORKERS = 16
LABELS = {"service": "db"}


def work() -> int:
    """Work the queue off until there is nothing left, as a worker does that is patient with a busy database and with
    what another worker has in hand."""
    total = 0
    for _ in range(1000):
        try:
            done = process_waiting()
        except OperationalError:
            continue
        total += done
        if not done:
            if not IntakeEvent.objects.waiting().exists():
                return total
            time.sleep(0.01)
    raise AssertionError("The queue does not get shorter.")


class GroupTests(ConcurrencyTestCase):
    def test_it_opens_one_incident_for_a_group_raised_by_many_at_once(self) -> None:
        source = make_source(group_by=["service"])

        def raise_one(number: int) -> None:
            enqueue(source, [make_update(f"{number}", labels=LABELS)])
            work()

        results = at_once(*(lambda number=number: raise_one(number) for number in range(WORKERS)))

        incident = Incident.objects.get()
        self.assertEqual(self.failures(results), [])
        self.assertEqual(incident.alerts.count(), WORKERS)
        self.assertEqual(kinds_of(incident), ["created"] + ["alert_added"] * (WORKERS - 1))
        self.assertEqual(AlertGroup.objects.filter(open_key__isnull=False).count(), 1)
        self.assert_whole(incident)

    def test_it_makes_one_alert_of_one_fingerprint_raised_by_many_at_once(self) -> None:
        source = make_source()

        results = at_once(*(lambda: (enqueue(source, [make_update("same")]), work()) for _ in range(WORKERS)))

        self.assertEqual(self.failures(results), [])
        self.assertEqual((Alert.objects.get().occurrences, statuses()), (WORKERS, ["open"]))
        self.assert_whole(Incident.objects.get())

    def test_it_loses_no_alert_that_joins_while_people_work(self) -> None:
        source, people = make_source(group_by=["service"]), [make_responder() for _ in range(4)]
        fire(source, "first", labels=LABELS)
        incident = Incident.objects.get()

        def raise_one(number: int) -> None:
            enqueue(source, [make_update(f"{number}", labels=LABELS)])
            work()

        results = at_once(
            *(lambda number=number: raise_one(number) for number in range(8)),
            *(lambda by=by: acknowledge(incident, by=by) for by in people[:2]),
            *(lambda by=by: resolve_incident(incident, by=by) for by in people[2:]),
        )

        incident.refresh_from_db()
        unexpected = [failure for failure in self.failures(results) if type(failure).__name__ != "InvalidTransition"]
        self.assertEqual(unexpected, [])
        self.assertEqual((incident.alerts.count(), Incident.objects.count()), (9, 1))
        self.assertEqual(kinds_of(incident).count("alert_added"), 8)
        self.assertGreaterEqual(kinds_of(incident).count("resolved"), 1)
        self.assert_whole(incident)

    def test_it_merges_while_alerts_join(self) -> None:
        source, by = make_source(group_by=["service"]), make_responder()
        for service in ("db", "web"):
            fire(source, service, labels={"service": service})
        duplicate, into = Incident.objects.order_by("pk")

        def raise_one(number: int) -> None:
            enqueue(source, [make_update(f"{number}", labels=LABELS)])
            work()

        results = at_once(
            *(lambda number=number: raise_one(number) for number in range(8)), lambda: merge(duplicate, into, by=by)
        )

        self.assertEqual(self.failures(results), [])
        self.assertEqual((into.alerts.count(), duplicate.alerts.count()), (10, 0))
        self.assertEqual(statuses(), ["resolved", "open"])
        self.assert_whole(duplicate, into)


class QueueTests(ConcurrencyTestCase):
    def test_it_does_each_event_once_whoever_works(self) -> None:
        sources = [make_source(group_by=["service"]) for _ in range(4)]
        for number in range(320):
            enqueue(
                sources[number % 4],
                [make_update(f"{number % 40}", labels=LABELS), make_update(f"{number % 8}", labels=LABELS)],
            )

        results = at_once(*[work] * WORKERS)

        self.assertEqual(self.failures(results), [])
        self.assertEqual(set(IntakeEvent.objects.values_list("state", "alert_count")), {(IntakeState.DONE, 2)})
        expected = Counter((number % 4, name) for number in range(320) for name in (number % 40, number % 8))
        ids = [source.pk for source in sources]
        found = {
            (ids.index(alert.source_id), int(alert.fingerprint)): alert.occurrences for alert in Alert.objects.all()
        }
        self.assertEqual(found, dict(expected))
        self.assertEqual(Incident.objects.count(), 4)
        self.assert_whole(*Incident.objects.all())

    def test_it_expires_once_whoever_looks(self) -> None:
        source = make_source(expire_minutes=1)
        fire(source, at=timezone.now() - dt.timedelta(minutes=5))

        results = at_once(*[lambda: expire(timezone.now())] * 8)

        self.assertEqual(self.failures(results), [])
        self.assertEqual(IntakeEvent.objects.waiting().count(), 1)

    @override_settings(STORM_INCIDENTS_PER_MINUTE=0)
    def test_it_puts_a_poisonous_event_aside_among_fifty(self) -> None:
        source, judge = make_source(), BatchProcessor.judge
        for number in range(50):
            enqueue(source, [make_update(f"{number}")])

        def broken(batch: BatchProcessor, message: Any) -> Any:
            if message.update.fingerprint == "17":
                raise ValueError("poison")
            return judge(batch, message)

        with mock.patch.object(BatchProcessor, "judge", broken):
            results = at_once(*[work] * 4)

        states = Counter(IntakeEvent.objects.values_list("state", flat=True))
        self.assertEqual(self.failures(results), [])
        self.assertEqual(states, {IntakeState.DONE: 49, IntakeState.FAILED: 1})
        self.assertEqual(
            (Incident.objects.count(), set(Alert.objects.values_list("occurrences", flat=True))), (49, {1})
        )

    def test_it_tries_again_after_a_deadlock_and_after_a_lost_race(self) -> None:
        for error in (OperationalError(1213, "Deadlock found"), IntegrityError("Duplicate entry")):
            with self.subTest(error=error):
                source, save = make_source(), processing.write
                enqueue(source, [make_update()])
                tries: list[Exception | None] = [error, None]

                def once(effects: list[Effect], now: dt.datetime) -> None:
                    save(effects, now)  # noqa: B023
                    if (fault := tries.pop(0)) is not None:  # noqa: B023
                        raise fault

                with mock.patch.object(processing, "write", once):
                    process_waiting()

                self.assertEqual((tries, source.alerts.get().occurrences), ([], 1))
        self.assertEqual(statuses(), ["open", "open"])

    def test_it_keeps_the_queue_when_the_database_stays_away(self) -> None:
        source = make_source()
        enqueue(source, [make_update()])

        with mock.patch.object(processing, "load", side_effect=OperationalError(2003, "Cannot connect to the server")):
            self.assertRaises(OperationalError, process_waiting)

        self.assertEqual((IntakeEvent.objects.waiting().count(), work(), statuses()), (1, 1, ["open"]))


class DeliveryTests(ConcurrencyTestCase):
    """The same delivery, sent again because the answer to it was lost."""

    def test_it_takes_a_delivery_once_however_many_bring_it(self) -> None:
        source = make_source()
        door = Numbered(source)

        results = at_once(
            *[lambda: serve(door, IntakeRequest("POST", "/", {}, b'{"title": "Disk", "key": "a"}')).status] * 8
        )
        work()

        self.assertEqual(set(results), {202})
        self.assertEqual((IntakeEvent.objects.count(), Alert.objects.get().occurrences), (1, 1))

    def test_it_changes_nothing_twice_when_killed_between_commit_and_answer(self) -> None:
        source = make_source()
        door = Numbered(source)
        incoming = IntakeRequest("POST", "/", {}, b'{"title": "Disk", "key": "a"}')

        with mock.patch("intake.serving._store", self.keep_and_die), self.assertRaises(SystemExit):
            serve(door, incoming)
        kept = IntakeEvent.objects.count()
        again = serve(door, incoming).status
        work()
        late = serve(door, incoming).status
        work()

        self.assertEqual((kept, again, late), (1, 202, 202))
        self.assertEqual((IntakeEvent.objects.count(), Alert.objects.get().occurrences, statuses()), (1, 1, ["open"]))

    def keep_and_die(self, taken: list[IntakeResult]) -> None:
        """What a kill right after the commit comes to."""
        store_events(taken)
        raise SystemExit


class Numbered:
    """A door whose sender numbers what it delivers."""

    def __init__(self, source: Any) -> None:
        self.sender = source

    def source(self, incoming: IntakeRequest) -> Any:
        """The sender."""
        return self.sender

    def ingest(self, incoming: IntakeRequest, source: Any) -> IntakeResult:
        """What is to be kept."""
        event = event_of(incoming, source, delivery_key=delivery_key(source, "4711"))
        return IntakeResult([event], IntakeResponse.json(202, {}), store_events, source)

    def refuse(self, error: Any) -> IntakeResponse:
        """In the plainest way."""
        return IntakeResponse.json(error.status, {"detail": error.message})


class KilledWorkerTests(ConcurrencyTestCase):
    def test_it_loses_and_repeats_nothing_when_a_worker_is_killed(self) -> None:
        source = make_source(group_by=["service"])
        for number in range(60):
            enqueue(source, [make_update(f"{number % 10}", labels=LABELS)])
        name = connection.settings_dict["NAME"]

        for _ in range(3):
            worker = subprocess.Popen(
                [sys.executable, "-c", SLOW_WORKER, str(name)],
                cwd=Path(__file__).resolve().parents[2],
                stdout=subprocess.PIPE,
                env={**os.environ, "DJANGO_SETTINGS_MODULE": "incident_response.settings"},
            )
            assert worker.stdout is not None
            killer = threading.Timer(30, worker.kill)
            killer.start()
            worker.stdout.readline()  # it is in the middle of a transaction
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            worker.stdout.close()
            killer.cancel()
        work()

        self.assertEqual(set(Alert.objects.values_list("occurrences", flat=True)), {6})
        self.assertEqual((Alert.objects.count(), statuses()), (10, ["open"]))
        self.assert_whole(Incident.objects.get())


# Works on one batch, writes everything, and waits to be killed before it commits.
SLOW_WORKER = """
import sys, time
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from alerts.services import process_waiting
from alerts.services import processing
write = processing.write
def slow(effects, now):
    write(effects, now)
    print("written", flush=True)
    time.sleep(60)
processing.write = slow
process_waiting(limit=20)
"""

"""What a ping says of its job."""

import datetime as dt
from typing import Any

from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from alerts.endpoints.named import store_pings
from alerts.endpoints.signals import Ping, Signal, endings_of, ping_of
from alerts.models import Alert, Heartbeat
from alerts.services import process_waiting
from alerts.services.heartbeats import watch
from alerts.tests.factories import make_key, make_source
from incidents.models import Incident
from intake.models import Source
from intake.requests import IntakeError, IntakeRequest, IntakeResponse
from intake.results import IntakeResult


class EndingTests(SimpleTestCase):
    def test_it_tells_a_signal_from_a_name(self) -> None:
        cases = {
            "backup": ("backup", ""),
            "backup/fail": ("backup", "fail"),
            "backup/FAIL": ("backup", "fail"),
            "night/backup/start": ("night/backup", "start"),
            "backup/0": ("backup", "0"),
            "backup/255": ("backup", "255"),
            "backup/256": ("backup/256", ""),
            "backup/²": ("backup/²", ""),
            "backup/log": ("backup", "log"),
            "fail": ("", "fail"),
            "7": ("7", ""),
            "failing": ("failing", ""),
        }

        self.assertEqual({path: endings_of(path) for path in cases}, cases)

    def test_it_reads_parameters_as_the_services_have_them(self) -> None:
        cases = {
            "": Signal.ALIVE,
            "status=up&msg=OK&ping=12": Signal.ALIVE,
            "status=down": Signal.FAILED,
            "state=fail": Signal.FAILED,
            "state=run": Signal.STARTED,
            "state=complete&status_code=0": Signal.ALIVE,
            "state=complete&status_code=3": Signal.FAILED,
            "status=in_progress": Signal.STARTED,
            "status=ERROR": Signal.FAILED,
            "s=0": Signal.ALIVE,
            "s=137": Signal.FAILED,
            "exit_code=1": Signal.FAILED,
            "other=fail": Signal.ALIVE,
        }

        found = {query: ping_of("a", "", IntakeRequest("GET", "/", {}, query=query)).signal for query in cases}

        self.assertEqual(found, cases)

    def test_it_refuses_words_and_codes_that_nobody_knows(self) -> None:
        for query in ("status=sideways", "state=9", "s=x", "exit_code=-1", "s=256"):
            with self.subTest(query=query), self.assertRaises(IntakeError) as caught:
                ping_of("a", "", IntakeRequest("GET", "/", {}, query=query))
            self.assertEqual(caught.exception.status, 422)

    def test_it_tells_what_was_sent_along(self) -> None:
        ping = ping_of("a", "3", IntakeRequest("POST", "/", {}, b"no space\xff left", query="msg=Backup"))

        self.assertEqual((ping.signal, ping.message), (Signal.FAILED, "Exit code 3.\n\nBackup\n\nno space\ufffd left"))


class FailureTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.source = make_source(name="Jobs")
        cls.key = make_key(cls.source)

    def ping(self, path: str = "", method: str = "POST", body: bytes = b"", query: str = "") -> Any:
        status = self.client.generic(
            method, f"/intake/{self.key}/heartbeat/{path}{query}", body, "text/plain"
        ).status_code
        process_waiting()
        return status

    def alerts(self) -> dict[str, str]:
        return dict(Alert.objects.values_list("fingerprint", "status"))

    def test_it_raises_an_alert_at_once_and_ends_it_with_the_next_success(self) -> None:
        for method in ("GET", "POST", "HEAD", "PUT"):
            for end in ("", "/"):
                self.assertEqual(self.ping(f"backup/fail{end}", method, b"disk full"), 204)
                failed = self.alerts()
                self.assertEqual(self.ping("backup"), 204)

                self.assertEqual(failed, {"heartbeat-failed:backup": "firing"})
                self.assertEqual(self.alerts(), {"heartbeat-failed:backup": "resolved"})
        self.assertEqual(set(Heartbeat.objects.values_list("name", flat=True)), {"backup"})
        self.assertEqual(Incident.objects.get().title, "backup (Jobs) reports a failure")

    def test_it_shows_what_was_sent_along(self) -> None:
        self.ping("backup/3", body=b"no space left")

        alert = Alert.objects.get()
        self.assertEqual(alert.description, "Exit code 3.\n\nno space left")
        self.assertEqual((alert.labels["alertname"], alert.labels["heartbeat"]), ("Heartbeat failed", "backup"))

    def test_it_raises_the_sources_own_failure(self) -> None:
        for path, query in (("fail", ""), ("", "?status=down")):
            self.ping(path, query=query)
            failed = self.alerts()
            self.ping()

            self.assertEqual(
                (failed, self.alerts()), ({"heartbeat-failed:": "firing"}, {"heartbeat-failed:": "resolved"})
            )

    def test_it_ends_a_failure_by_exit_code_0_but_not_by_a_start_or_a_log(self) -> None:
        self.ping("backup/1")
        for path in ("backup/start", "backup/log"):
            self.assertEqual(self.ping(path), 204)
        before = self.alerts()
        self.ping("backup/0")

        self.assertEqual(
            (before, self.alerts()), ({"heartbeat-failed:backup": "firing"}, {"heartbeat-failed:backup": "resolved"})
        )

    def test_it_waits_for_what_has_started(self) -> None:
        self.ping("backup/start")
        Heartbeat.objects.update(last_ping_at=timezone.now() - dt.timedelta(hours=1))
        self.ping("backup/start")
        watch(timezone.now())
        process_waiting()

        self.assertEqual(self.alerts(), {"heartbeat:backup": "firing"})

    def test_it_takes_a_failure_for_a_sign_of_life(self) -> None:
        self.ping("backup")
        Heartbeat.objects.update(last_ping_at=timezone.now() - dt.timedelta(hours=1))
        watch(timezone.now())
        process_waiting()
        self.ping("backup/fail")
        watch(timezone.now())
        process_waiting()

        self.assertEqual(self.alerts(), {"heartbeat:backup": "resolved", "heartbeat-failed:backup": "firing"})

    def test_it_leaves_a_failure_that_nobody_ends_until_the_heartbeat_is_switched_off(self) -> None:
        self.ping("backup/fail")
        self.ping("fail")
        watch(timezone.now())
        process_waiting(timezone.now() + dt.timedelta(days=3))
        before = set(self.alerts().values())
        Heartbeat.objects.update(is_enabled=False)
        watch(timezone.now())
        process_waiting()
        named = self.alerts()
        Source.objects.update(is_enabled=False)
        watch(timezone.now())
        process_waiting()

        self.assertEqual(before, {"firing"})
        self.assertEqual(named, {"heartbeat-failed:backup": "resolved", "heartbeat-failed:": "firing"})
        self.assertEqual(set(self.alerts().values()), {"resolved"})

    def test_it_keeps_names_that_were_given_before(self) -> None:
        for name in ("shard/3", "log", "job/start"):
            Heartbeat.objects.create(source=self.source, name=name, last_ping_at=timezone.now() - dt.timedelta(hours=1))

            self.ping(name)

        self.assertEqual((Heartbeat.objects.count(), self.alerts()), (3, {}))
        self.assertGreater(
            min(Heartbeat.objects.values_list("last_ping_at", flat=True)), timezone.now() - dt.timedelta(minutes=1)
        )

    def test_it_refuses_a_word_that_nobody_knows_and_takes_no_sign_of_life_from_it(self) -> None:
        self.assertEqual(self.ping("backup", query="?status=sideways"), 422)
        self.assertEqual(Heartbeat.objects.count(), 0)

    def test_it_does_what_came_at_one_moment_in_its_order(self) -> None:
        rows = [Ping("a", Signal.FAILED), Ping("a"), Ping("a", Signal.FAILED, "again")]

        store_pings([IntakeResult([row], IntakeResponse(204), store_pings, self.source) for row in rows])
        process_waiting()

        self.assertEqual((self.alerts(), Alert.objects.get().description), ({"heartbeat-failed:a": "firing"}, "again"))

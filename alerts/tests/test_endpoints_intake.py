"""Signs of life at a source's own address."""

from typing import Any
from unittest import mock
from urllib.parse import quote

from django.test import TestCase

from alerts.endpoints import named
from alerts.models import Heartbeat
from alerts.tests.factories import make_key, make_source
from intake.models import IntakeEvent, Source


class NamedHeartbeatTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.source = make_source()
        cls.key = make_key(cls.source)

    def beat(self, name: str, method: str = "POST", end: str = "/") -> Any:
        return self.client.generic(method, f"/intake/{self.key}/heartbeat/{quote(name)}{end}")

    def names(self) -> set[str]:
        return set(Heartbeat.objects.filter(source=self.source).values_list("name", flat=True))

    def test_it_makes_the_heartbeat_by_every_method(self) -> None:
        for method in ("GET", "HEAD", "POST", "PUT"):
            for name in ("backup-job", "night/backup Zürich"):
                for end in ("", "/"):
                    self.assertEqual(self.beat(name, method, end).status_code, 204)

        self.assertEqual(self.names(), {"backup-job", "night/backup Zürich"})
        self.assertIsNone(Source.objects.get(pk=self.source.pk).last_received_at)

    def test_it_leaves_the_interval_of_one_that_was_made_before(self) -> None:
        Heartbeat.objects.create(source=self.source, name="nightly", interval_minutes=1500)

        self.beat("nightly")
        self.beat("hourly")

        intervals = dict(Heartbeat.objects.values_list("name", "interval_minutes"))
        self.assertEqual(intervals, {"nightly": 1500, "hourly": 10})

    def test_it_takes_no_name_for_the_source_itself(self) -> None:
        self.assertEqual(self.client.post(f"/intake/{self.key}/heartbeat/").status_code, 204)

        self.assertEqual(self.names(), set())
        self.assertIsNotNone(Source.objects.get(pk=self.source.pk).last_received_at)

    def test_it_refuses_names_that_are_too_long_or_blank_and_too_many(self) -> None:
        with mock.patch.object(named, "MOST_HEARTBEATS", 1):
            statuses = [self.beat(name).status_code for name in ("x" * 101, " ", "a", "b", "a")]

        self.assertEqual(statuses, [422, 422, 204, 422, 204])
        self.assertEqual((self.names(), IntakeEvent.objects.count()), ({"a"}, 0))

    def test_it_refuses_names_that_nobody_could_give_it_elsewhere(self) -> None:
        for name in ("\u202eputkcab", "back\u200bup", "\u3164", "\x1b[31mbackup", "https://shop.example/", "a\x7fb"):
            with self.subTest(name=ascii(name)):
                self.assertEqual(self.beat(name).status_code, 422)
        self.assertEqual([self.beat(name).status_code for name in ("e\u0301", "\u00e9")], [204, 204])

        self.assertEqual(self.names(), {"\u00e9"})

    def test_it_refuses_strangers(self) -> None:
        self.assertEqual(self.client.post("/intake/nobodys/heartbeat/backup/").status_code, 403)
        self.assertEqual(Heartbeat.objects.count(), 0)

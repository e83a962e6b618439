from typing import Any
from unittest import mock

import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import TestCase

from core.errors import DomainError
from responders.models import ImportedCalendar
from responders.services import importing, oncall
from responders.tests.schedules import at, layer, make_schedule, make_team
from responders.tests.test_ical_reading import CORPUS
from tests.reported import reported_failure
from users.tests.factories import client_of, make_admin, make_responder

NOW = "2026-11-30T12:00:00+00:00"


class ImportTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ana = make_responder(name="Ana", email="ana@example.com")
        cls.ben = make_responder(name="Ben", email="ben@example.com")
        cls.admin = make_admin()
        cls.schedule = make_schedule(layer(cls.ben), team=make_team("Database", cls.ana, cls.ben))
        cls.path = f"/api/v1/schedules/{cls.schedule.pk}/"

    def setUp(self) -> None:
        clock = time_machine.travel(NOW, tick=False)
        clock.start()
        self.addCleanup(clock.stop)
        self.client = client_of(self.admin)
        self.answers = mock.patch.object(
            importing, "fetch", side_effect=lambda url: (CORPUS / url.rpartition("/")[2]).read_bytes()
        )
        self.fetch = self.answers.start()
        self.addCleanup(self.answers.stop)

    def add(self, name: str = "attendees.ics") -> Any:
        return self.client.post(f"{self.path}calendars/", {"name": "Team", "url": f"webcal://example.com/{name}"})

    def use(self, calendar: int, *below: dict[str, Any]) -> None:
        layers = [*below, {"name": "Imported", "calendar": calendar}]
        answer = self.client.patch(self.path, {"layers": layers, "effective_from": NOW})
        self.assertEqual(answer.status_code, 200, answer.content)

    def on_call(self, moment: str) -> tuple[list[str], tuple[str, ...]]:
        found = oncall.on_call([self.schedule.pk], at(moment))[self.schedule.pk]
        return [person.name for person in found.people], found.unmatched

    @reported_failure(7)
    def test_it_finds_people_whatever_the_case(self) -> None:
        self.use(self.add().json()["id"])

        days = {day: self.on_call(f"2026-12-0{day}T12:00")[0] for day in (1, 2, 3, 4, 5)}

        self.assertEqual(days, {1: ["Ana"], 2: ["Ben"], 3: ["Ana"], 4: ["Ana", "Ben"], 5: []})

    @reported_failure(7)
    def test_it_shows_names_that_fit_nobody_as_gaps(self) -> None:
        added = self.add("unmatched.ics").json()
        self.use(added["id"])

        self.assertEqual(added["unmatched"], ["Zoe"])
        self.assertEqual(self.on_call("2026-12-01T12:00"), ([], ("Zoe",)))
        self.assertEqual(self.on_call("2026-12-02T12:00"), (["Ana"], ("Zoe",)))
        gaps = self.client.get(f"{self.path}gaps/?from=2026-12-01T00:00:00Z&to=2026-12-02T00:00:00Z").json()["results"]
        self.assertEqual(gaps[0]["unmatched"], ["Zoe"])

    @reported_failure(7)
    def test_it_keeps_the_last_good_copy_and_its_age(self) -> None:
        added = self.add().json()
        self.use(added["id"])
        for answer in ((CORPUS / "web_page.html").read_bytes(), DomainError("The calendar's server answers 503.")):
            self.fetch.side_effect = [answer]
            ImportedCalendar.objects.update(next_fetch_at=at("2026-11-30T13:00"))

            done = importing.fetch_due(at("2026-11-30T13:00"))

            shown = self.client.get(f"{self.path}calendars/{added['id']}/").json()
            self.assertEqual((done, shown["fetched_at"]), (1, "2026-11-30T12:00:00Z"))
            self.assertTrue(shown["error"])
            self.assertEqual(self.on_call("2026-12-01T12:00")[0], ["Ana"])

    def test_it_fetches_in_no_transaction_and_once_for_a_repeated_request(self) -> None:
        depths: list[int] = []

        def fetch(url: str) -> bytes:
            depths.append(len(connection.savepoint_ids))
            return (CORPUS / "attendees.ics").read_bytes()

        self.fetch.side_effect = fetch
        body = {"name": "Team", "url": "https://example.com/a.ics"}
        for method, path, status in (
            (self.client.post, f"{self.path}calendars/", 201),
            (self.client.patch, f"{self.path}calendars/{{}}/", 200),
        ):
            pk = ImportedCalendar.objects.values_list("pk", flat=True).first()
            for _ in range(2):
                answer = method(path.format(pk), body, headers={"Idempotency-Key": f"key {status}"})
                self.assertEqual(answer.status_code, status, answer.content)

        self.assertEqual(depths, [len(connection.savepoint_ids)] * 2)
        self.assertEqual(ImportedCalendar.objects.count(), 1)

    def test_it_fetches_the_others_after_one_that_fails_unexpectedly(self) -> None:
        for name in ("One", "Two", "Three"):
            self.client.post(f"{self.path}calendars/", {"name": name, "url": "https://example.com/attendees.ics"})
        due = at("2026-11-30T13:00")
        ImportedCalendar.objects.update(next_fetch_at=due)
        content = (CORPUS / "attendees.ics").read_bytes()
        self.fetch.side_effect = [content, RuntimeError("a fault"), content]

        self.assertEqual(importing.fetch_due(due), 3)

        errors = list(ImportedCalendar.objects.order_by("pk").values_list("error", "next_fetch_at"))
        self.assertEqual(sorted(error for error, _ in errors), ["", "", "RuntimeError; see the worker's log."])
        self.assertEqual({moment for _, moment in errors}, {due + importing.EVERY})

    def test_it_takes_changes_from_now_on(self) -> None:
        added = self.add("cancelled.ics").json()
        self.use(added["id"])
        self.schedule.refresh_from_db()
        before = self.schedule.revision
        calendar = ImportedCalendar.objects.get()
        self.fetch.side_effect = lambda url: (CORPUS / "duplicate_uid.ics").read_bytes()

        importing.refresh(calendar, at("2026-12-01T09:30"))
        importing.refresh(calendar, at("2026-12-01T09:45"))

        self.assertEqual(self.on_call("2026-12-01T09:15")[0], ["Ana"])
        self.assertEqual(self.on_call("2026-12-01T09:50")[0], [])
        self.assertEqual(self.on_call("2026-12-01T10:30")[0], ["Ben"])
        self.schedule.refresh_from_db()
        self.assertEqual(self.schedule.revision, before + 1)

    def test_it_takes_a_file(self) -> None:
        for method, path in ((self.client.post, "calendars/"), (self.client.put, "calendars/{}/")):
            file = SimpleUploadedFile("team.ics", (CORPUS / "attendees.ics").read_bytes(), "text/calendar")
            pk = ImportedCalendar.objects.values_list("pk", flat=True).first()
            answer = method(self.path + path.format(pk), {"name": "Uploaded", "file": file}, format="multipart")

            self.assertIn(answer.status_code, (200, 201), answer.content)
            self.assertEqual((answer.json()["host"], answer.json()["error"]), ("", ""))

    @reported_failure(7)
    def test_it_refuses_what_it_cannot_read(self) -> None:
        for name in ("web_page.html", "every_second.ics", "truncated.ics"):
            answer = self.add(name)

            self.assertEqual((answer.status_code, ImportedCalendar.objects.count()), (400, 0))
        for url in ("ftp://example.com/x", "file:///etc/passwd", ""):
            answer = self.client.post(f"{self.path}calendars/", {"name": "Team", "url": url})
            self.assertEqual(answer.status_code, 400)

    def test_it_reaches_no_private_address(self) -> None:
        self.answers.stop()

        answer = self.client.post(f"{self.path}calendars/", {"name": "Team", "url": "http://127.0.0.1:1/x.ics"})

        self.answers.start()
        self.assertEqual((answer.status_code, answer.json()["code"]), (400, "unreachable"))

    def test_it_keeps_the_address_secret(self) -> None:
        added = self.add().json()

        self.assertEqual((added["host"], "url" in added), ("example.com", False))
        self.assertEqual(self.client.delete(f"{self.path}calendars/{added['id']}/").status_code, 204)

    def test_it_is_not_deleted_while_a_layer_reads_it(self) -> None:
        added = self.add().json()
        self.use(added["id"])

        answer = self.client.delete(f"{self.path}calendars/{added['id']}/")

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "in_use"))

import datetime as dt

import time_machine
from django.test import TestCase
from icalendar import Calendar
from rest_framework.test import APIClient

from core.models import IdempotentRequest
from responders.services import oncall
from responders.services.lineups import touch
from responders.tests.schedules import at, layer, make_override, make_schedule
from tests.reported import reported_failure
from users.services import set_access
from users.tests.factories import client_of, make_admin, make_responder

NOW = "2026-11-30T12:00:00+00:00"


class CalendarTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ana, cls.ben = (make_responder(name=name) for name in ("Ana", "Ben"))
        cls.schedule = make_schedule(layer(cls.ana, cls.ben), name="Primary")
        make_override(cls.schedule, "2026-12-02T08:00", "2026-12-03T08:00", add=(cls.ana,), remove=(cls.ben,))

    def setUp(self) -> None:
        clock = time_machine.travel(NOW, tick=False)
        clock.start()
        self.addCleanup(clock.stop)

    def token(self, path: str) -> str:
        return client_of(self.ana).post(path).json()["url"].removeprefix("http://testserver")

    def events(self, url: str) -> list:
        answer = APIClient().get(url)
        self.assertEqual((answer.status_code, answer["Content-Type"]), (200, "text/calendar; charset=utf-8"))
        return Calendar.from_ical(answer.content).walk("VEVENT")

    @reported_failure(8)
    def test_it_shows_the_final_shifts(self) -> None:
        url = self.token(f"/api/v1/schedules/{self.schedule.pk}/calendar-token/")

        events = [(event["DTSTART"].dt, event["DTEND"].dt) for event in self.events(url)]

        start, end = at("2026-10-01T00:00"), at("2027-07-01T00:00")
        shifts = oncall.shifts([self.schedule.pk], start, end)[self.schedule.pk]
        self.assertEqual(events, [(shift.starts_at, shift.ends_at) for shift in shifts])

    @reported_failure(8)
    def test_it_keeps_uids_and_counts_changes(self) -> None:
        url = self.token(f"/api/v1/schedules/{self.schedule.pk}/calendar-token/")
        first = APIClient().get(url).content
        with time_machine.travel("2026-11-30T23:00:00+00:00", tick=False):
            again = APIClient().get(url).content
        make_override(self.schedule, "2026-12-08T08:00", "2026-12-09T08:00", add=(self.ben,), remove=(self.ana,))
        touch(self.schedule, at("2026-11-30T13:00"))

        before, after = (
            {event["UID"]: event["SEQUENCE"] for event in Calendar.from_ical(one).walk("VEVENT")}
            for one in (first, APIClient().get(url).content)
        )

        self.assertEqual(first, again)
        self.assertTrue(before.keys() < after.keys())
        self.assertTrue(all(after[uid] > before[uid] for uid in before))

    @reported_failure(8)
    def test_it_says_how_often_to_ask(self) -> None:
        calendar = Calendar.from_ical(APIClient().get(self.token("/api/v1/me/calendar-token/")).content)

        self.assertEqual(calendar["REFRESH-INTERVAL"].dt, dt.timedelta(minutes=15))
        self.assertEqual((calendar["X-PUBLISHED-TTL"], calendar["NAME"]), ("PT15M", "On call: Ana"))
        self.assertEqual(calendar["REFRESH-INTERVAL"].params["VALUE"], "DURATION")

    def test_it_shows_ones_own_shifts_of_all_schedules(self) -> None:
        make_schedule(layer(self.ben, self.ana), name="Second")

        summaries = {str(event["SUMMARY"]) for event in self.events(self.token("/api/v1/me/calendar-token/"))}

        self.assertEqual(summaries, {"Ana on call: Primary", "Ana on call: Second"})

    def test_it_stores_no_token_for_a_repeated_request(self) -> None:
        client = client_of(self.ana)

        for path in (f"/api/v1/schedules/{self.schedule.pk}/calendar-token/", "/api/v1/me/calendar-token/"):
            tokens = {client.post(path, headers={"Idempotency-Key": "once"}).json()["token"] for _ in range(2)}
            self.assertEqual(len(tokens), 2)
        self.assertFalse(IdempotentRequest.objects.exists())

    @reported_failure(8)
    def test_it_opens_to_its_token_only_until_that_is_revoked(self) -> None:
        path = f"/api/v1/schedules/{self.schedule.pk}/calendar-token/"
        first, second = self.token(path), self.token(path)
        other = make_schedule(name="Other")

        self.assertEqual(APIClient().get(first).status_code, 401)
        self.assertEqual(APIClient().get(second).status_code, 200)
        self.assertEqual(APIClient().get(second.replace(f"/{self.schedule.pk}/", f"/{other.pk}/")).status_code, 401)
        self.assertEqual(APIClient().get(f"/api/v1/me/shifts.ics?{second.partition('?')[2]}").status_code, 401)
        client_of(self.ana).delete(path)
        self.assertEqual(APIClient().get(second).status_code, 401)

    def test_it_closes_with_the_account(self) -> None:
        url = self.token("/api/v1/me/calendar-token/")

        set_access(self.ana, by=make_admin(), is_active=False)

        self.assertEqual(APIClient().get(url).status_code, 401)

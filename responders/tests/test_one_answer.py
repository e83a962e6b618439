"""Everything that says who is on call says the same, at many moments of an eventful schedule."""

import datetime as dt
from unittest import mock

import time_machine
from django.test import TestCase
from icalendar import Calendar
from rest_framework.test import APIClient

from responders import notices, oncall
from responders.admin.picture import lines_of
from responders.models import ShiftSwap
from responders.services import gaps, swapping
from responders.services import oncall as services
from responders.services.tokens import new_calendar_token
from responders.tests.schedules import at, layer, make_override, make_schedule, make_team
from tests.reported import reported_failure
from users.tests.factories import client_of, make_responder

START, END = at("2026-10-19T00:00"), at("2026-11-16T00:00")
MOMENTS = [START + dt.timedelta(hours=3) * number for number in range(28 * 8)]


class OneAnswerTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.people = [make_responder(name=name) for name in ("Ana", "Ben", "Cyd", "Dee")]
        ana, ben, cyd, dee = cls.people
        office = [{"weekdays": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}]
        daily = {"rotation": {"unit": "days", "every": 1}, "hand_over": {"time": "09:00", "weekday": None}}
        cls.schedule = make_schedule(
            layer(ana, ben, []),
            layer(cyd, [dee, ana], name="Office", restrictions=office, advance="active", **daily),
            team=make_team("Database", *cls.people),
        )
        make_override(cls.schedule, "2026-10-24T20:00", "2026-10-25T20:00", add=(dee,), remove=(ana, ben))
        make_override(cls.schedule, "2026-10-27T06:00", "2026-10-28T20:00", layer="Office", is_everybody=True)
        make_override(cls.schedule, "2026-10-30T00:00", "2026-10-30T12:00", is_everybody=True)
        cls.now = {
            moment: {person.user_id for person in services.on_call([cls.schedule.pk], moment)[cls.schedule.pk].people}
            for moment in MOMENTS
        }

    @reported_failure(3)
    def test_the_api_says_what_pages(self) -> None:
        client = client_of(self.people[0])
        path = f"/api/v1/schedules/{self.schedule.pk}/"
        for moment in MOMENTS[::7]:
            answer = client.get(f"{path}on-call/?at={moment:%Y-%m-%dT%H:%M:%SZ}").json()

            self.assertEqual({user["id"] for user in answer["users"]}, self.now[moment], moment)
        period = f"?from={START:%Y-%m-%dT%H:%M:%SZ}&to={END:%Y-%m-%dT%H:%M:%SZ}"
        shifts = client.get(f"{path}shifts/{period}").json()["results"]
        self.compare([(one["from"], one["to"], one["user"]["id"]) for one in shifts])
        empty = client.get(f"{path}gaps/{period}").json()["results"]
        self.compare_gaps(
            [(dt.datetime.fromisoformat(one["from"]), dt.datetime.fromisoformat(one["to"])) for one in empty]
        )

    @reported_failure(3)
    def test_calendars_and_picture_say_what_pages(self) -> None:
        with time_machine.travel("2026-11-01T00:00:00+00:00", tick=False):
            token = new_calendar_token(self.people[0], self.schedule)
            content = APIClient().get(f"/api/v1/schedules/{self.schedule.pk}/calendar.ics?token={token}").content
        events = Calendar.from_ical(content).walk("VEVENT")
        self.compare([(e["DTSTART"].dt, e["DTEND"].dt, int(str(e["UID"]).split("-")[1])) for e in events])
        spec = services.spec_of(self.schedule.pk, START, END)
        final = lines_of(spec, START, END)[-1]
        self.compare([(one.starts_at, one.ends_at, one.user_id) for one in final.shifts])
        self.compare_gaps([(one.starts_at, one.ends_at) for one in final.gaps])

    @reported_failure(3)
    def test_swaps_are_open_to_whoever_is_paged(self) -> None:
        for moment in MOMENTS[::9]:
            for user in self.people:
                asked = {
                    "starts_at": moment,
                    "ends_at": moment + dt.timedelta(minutes=1),
                    "by": user,
                    "requester": user,
                }
                try:
                    swapping.ask(self.schedule, **asked, now=moment)
                    may = True
                except swapping.NotOnShift:
                    may = False

                self.assertEqual(may, user.pk in self.now[moment], (moment, user))
        self.assertTrue(ShiftSwap.objects.exists())

    @reported_failure(3)
    def test_notices_tell_of_the_gaps_in_which_nobody_is_paged(self) -> None:
        told: list[notices.Notice] = []
        with mock.patch.object(notices, "_handlers", [told.extend]):
            for moment in MOMENTS:
                gaps.announce_gaps(moment)
        starts = sum(notice.is_urgent for notice in told)

        spec = services.spec_of(self.schedule.pk, START, END)
        self.assertEqual(starts, len([gap for gap in oncall.gaps(spec, START, END) if gap.starts_at > START]))
        self.assertGreater(starts, 5)

    def compare(self, shifts: list) -> None:
        """Assert that these shifts have, at each moment, those who are paged."""
        shifts = [(self.moment(start), self.moment(end), user) for start, end, user in shifts]
        for moment, people in self.now.items():
            self.assertEqual({user for start, end, user in shifts if start <= moment < end}, people, moment)

    def compare_gaps(self, found: list) -> None:
        for moment, people in self.now.items():
            self.assertEqual(any(start <= moment < end for start, end in found), not people, moment)

    @staticmethod
    def moment(value: dt.datetime | str) -> dt.datetime:
        return dt.datetime.fromisoformat(value) if isinstance(value, str) else value

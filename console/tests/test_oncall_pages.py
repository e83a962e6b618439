import datetime as dt
from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from paging.tests.factories import make_escalation, step
from responders.models import Schedule, ScheduleOverride, Team
from responders.services.oncall import on_call_and_next
from responders.tests.schedules import layer, make_override, make_schedule, make_team
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder


class OnCallCase(TestCase):
    """A team of two with a schedule, and people of each role."""

    def setUp(self) -> None:
        self.ana, self.ben = make_responder(name="Ana Lund"), make_responder(name="Ben Ode")
        self.other, self.reporter, self.admin = make_responder(name="Cy Other"), make_reporter(), make_admin(name="Ada")
        self.team = make_team("Kitchen", self.ana, self.ben)
        self.schedule = make_schedule(layer(self.ana, self.ben), team=self.team, name="Kitchen rota")

    def get(self, user: User, name: str, /, *args: Any, **query: Any) -> Any:
        self.client.force_login(user)
        return self.client.get(reverse(f"console:{name}", args=args), query)

    def post(self, user: User, name: str, /, *args: Any, **data: Any) -> Any:
        self.client.force_login(user)
        return self.client.post(reverse(f"console:{name}", args=args), data)

    def cost(self, name: str, *args: Any) -> int:
        """How many queries a page takes."""
        with CaptureQueriesContext(connection) as queries:
            self.client.get(reverse(f"console:{name}", args=args))
        return len(queries)


class OverviewTests(OnCallCase):
    def test_it_says_who_is_on_call_to_everybody(self) -> None:
        for user in (self.ana, self.other, self.reporter, self.admin):
            with self.subTest(user.role):
                response = self.get(user, "on-call")

                self.assertContains(response, "Kitchen rota")
                self.assertContains(response, "layer Primary")

    def test_it_is_loud_about_nobody(self) -> None:
        make_schedule(name="Empty rota")
        make_schedule(layer([]), name="Nobody's rota")

        response = self.get(self.ana, "on-call")

        self.assertContains(response, "Nobody is on call for Empty rota now.")
        self.assertContains(response, "Nobody is on call for Nobody&#x27;s rota now.")

    def test_it_shows_my_shifts(self) -> None:
        mine, theirs = self.get(self.ana, "on-call"), self.get(self.other, "on-call")

        self.assertContains(mine, "Ask for cover")
        self.assertContains(theirs, "You have no shift in the next 8 weeks.")

    def test_it_filters_by_my_teams(self) -> None:
        make_schedule(layer(self.other), name="Other rota")

        response = self.get(self.ana, "on-call", teams="mine")

        self.assertContains(response, "Kitchen rota")
        self.assertNotContains(response, "Other rota")

    def test_it_costs_the_same_for_many_schedules(self) -> None:
        self.get(self.ana, "on-call")
        before = self.cost("on-call")
        for number in range(5):
            make_schedule(layer(self.ana, self.other, name=f"L{number}"), team=self.team)

        self.assertEqual(self.cost("on-call"), before)
        self.assertLessEqual(before, 14)

    def test_it_hides_retired_schedules(self) -> None:
        Schedule.objects.update(is_active=False)

        response = self.get(self.admin, "on-call")

        self.assertContains(response, "there is no schedule yet")


class ScheduleTests(OnCallCase):
    def test_it_shows_each_view_to_everybody(self) -> None:
        for user in (self.ana, self.reporter, self.admin):
            for view in ("week", "month", "list"):
                with self.subTest(user.role, view=view):
                    response = self.get(user, "schedule", self.schedule.pk, view=view, **{"from": "2026-10-25"})

                    self.assertEqual(response.status_code, 200)
                    self.assertContains(response, "Ana Lund")

    def test_it_keeps_hand_overs_at_the_clock_when_clocks_change(self) -> None:
        self.ana.time_zone = "Europe/Zurich"
        self.ana.save(update_fields=["time_zone"])
        for day in ("2026-03-23", "2026-10-19"):
            response = self.get(self.ana, "schedule", self.schedule.pk, view="list", **{"from": day})

            self.assertContains(response, "Mon 30 Mar 09:00" if day < "2026-06" else "Mon 26 Oct 09:00")

    def test_it_shows_half_hour_zones_and_the_schedules_own(self) -> None:
        self.ana.time_zone = "Asia/Kolkata"
        self.ana.save(update_fields=["time_zone"])

        mine = self.get(self.ana, "schedule", self.schedule.pk, view="list", **{"from": "2026-11-30"})
        own = self.get(self.ana, "schedule", self.schedule.pk, view="list", zone="schedule", **{"from": "2026-11-30"})

        self.assertContains(mine, "Mon 30 Nov 13:30")
        self.assertContains(own, "Mon 30 Nov 09:00")

    def test_it_marks_gaps_in_words(self) -> None:
        make_override(self.schedule, "2026-12-01T10:00", "2026-12-01T12:00", is_everybody=True)

        response = self.get(self.admin, "schedule", self.schedule.pk, **{"from": "2026-11-30"})

        self.assertContains(response, "rota-gap")
        self.assertContains(response, "Nobody, Tue 1 Dec")

    def test_it_shows_a_schedule_without_layers(self) -> None:
        empty = make_schedule(name="Empty rota")

        for view in ("week", "month", "list"):
            self.assertContains(self.get(self.admin, "schedule", empty.pk, view=view), "Nobody")

    def test_it_refuses_what_it_cannot_read(self) -> None:
        self.assertEqual(self.get(self.ana, "schedule", self.schedule.pk, view="year").status_code, 400)
        self.assertEqual(self.get(self.ana, "schedule", self.schedule.pk, **{"from": "soon"}).status_code, 400)
        self.assertEqual(self.get(self.ana, "schedule", 999999).status_code, 404)

    def test_it_never_hangs_on_very_many_layers(self) -> None:
        minutes = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 24 * 60 - 10, 28)]
        hours = [
            {"weekdays": list(range(7)), "from": one, "to": f"{one[:4]}{9 if one[4] != '9' else 8}"}
            for one in minutes[:50]
        ]
        hours = [one for one in hours if one["from"] < one["to"]]
        layers = [
            layer(self.ana, self.ben, name=f"L{number}", restrictions=hours[number % 3 :]) for number in range(30)
        ]
        busy = make_schedule(*layers, name="Busy rota")

        response = self.get(self.ana, "schedule", busy.pk, view="month", **{"from": "2026-12-01"})

        self.assertContains(response, "changes too often to be shown whole")

    def test_it_offers_changes_to_those_who_may(self) -> None:
        cases = {
            self.ana: (True, False),
            self.other: (False, False),
            self.reporter: (False, False),
            self.admin: (True, True),
        }
        for user, (overrides, layers) in cases.items():
            with self.subTest(user.name):
                page = self.get(user, "schedule", self.schedule.pk).content.decode()

                self.assertEqual(reverse("console:override", args=[self.schedule.pk]) in page, overrides)
                self.assertEqual(reverse("console:layers", args=[self.schedule.pk]) in page, layers)

    def test_it_links_the_policies_that_page_it(self) -> None:
        policy = make_escalation(step(self.schedule))

        response = self.get(self.ana, "schedule", self.schedule.pk)

        self.assertContains(response, reverse("console:policy", args=[policy.pk]))

    def test_it_makes_calendar_addresses_once(self) -> None:
        made = self.post(self.ana, "calendar-address", self.schedule.pk)
        own = self.post(self.reporter, "my-calendar-address")

        self.assertContains(made, f"/api/v1/schedules/{self.schedule.pk}/calendar.ics?token=")
        self.assertContains(own, "/api/v1/me/shifts.ics?token=")
        self.assertNotContains(self.get(self.ana, "calendar-address", self.schedule.pk), "token=")
        self.post(self.ana, "calendar-address", self.schedule.pk, revoke="1")
        self.assertFalse(self.ana.calendar_tokens.exists())


class HandoverTests(OnCallCase):
    def setUp(self) -> None:
        super().setUp()
        Schedule.objects.all().delete()
        rotation = {"unit": "days", "every": 1}
        daily = layer(self.ana, self.ben, rotation=rotation, hand_over={"time": "09:00", "weekday": None})
        self.schedule = make_schedule(daily, team=self.team, name="Kitchen rota")

    def test_it_shows_notes_to_who_comes(self) -> None:
        written = self.post(self.ana, "handover-note", self.schedule.pk, text="**Disk 3** is <script>odd</script>")
        now = on_call_and_next([self.schedule.pk], timezone.now())[self.schedule.pk]
        coming = User.objects.get(pk=now[1].people[0].user_id)

        self.assertEqual(written.status_code, 302)
        for name, args in (("on-call", ()), ("schedule", (self.schedule.pk,))):
            page = self.get(coming, name, *args)
            self.assertContains(page, "<strong>Disk 3</strong>")
            self.assertNotContains(page, "<script>odd")
        self.assertNotContains(self.get(self.reporter, "schedule", self.schedule.pk), "Disk 3")

    def test_it_is_written_by_the_team_and_changed_by_its_author(self) -> None:
        self.post(self.ana, "handover-note", self.schedule.pk, text="Quiet")
        note = self.schedule.handover_notes.get()

        for user in (self.other, self.reporter):
            self.assertEqual(self.post(user, "handover-note", self.schedule.pk, text="x").status_code, 403)
        edits = [
            self.post(user, "handover-note-edit", self.schedule.pk, note.pk, text="Loud").status_code
            for user in (self.ben, self.ana)
        ]
        self.assertEqual(edits, [403, 302])
        self.assertEqual(self.post(self.ben, "handover-note-delete", self.schedule.pk, note.pk).status_code, 403)
        self.assertEqual(self.post(self.admin, "handover-note-delete", self.schedule.pk, note.pk).status_code, 302)
        self.assertEqual(self.post(self.ana, "handover-note", self.schedule.pk, text=" ").status_code, 400)


class OverrideTests(OnCallCase):
    def data(self, **more: Any) -> dict[str, Any]:
        start = timezone.now() + dt.timedelta(days=2)
        form = "%Y-%m-%dT%H:%M"
        return {
            "starts_at": start.strftime(form),
            "ends_at": (start + dt.timedelta(hours=3)).strftime(form),
            "add": [self.ben.pk],
            "remove": [self.ana.pk],
            "comment": "Dentist",
            **more,
        }

    def test_it_is_for_the_team_and_administrators(self) -> None:
        for user, status in ((self.ana, 302), (self.admin, 302), (self.other, 403), (self.reporter, 403)):
            with self.subTest(user.name):
                response = self.post(user, "override", self.schedule.pk, **self.data())

                self.assertEqual(response.status_code, status)
        self.assertEqual(ScheduleOverride.objects.count(), 2)

    def test_it_sends_strangers_to_sign_in(self) -> None:
        response = self.client.get(reverse("console:override", args=[self.schedule.pk]))

        self.assertEqual(response.status_code, 302)

    def test_it_prefills_what_was_chosen(self) -> None:
        starts = (timezone.now() + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:00:00Z")
        response = self.get(self.ana, "override", self.schedule.pk, starts=starts, remove=self.ben.pk)

        self.assertContains(response, starts[:13])
        self.assertContains(response, "checked", 1)

    def test_it_starts_now_where_the_asked_times_cannot_be_drawn(self) -> None:
        for starts, ends in (
            ("0001-01-01T00:00:00Z", ""),
            ("9999-12-31T23:59:59-12:00", ""),
            ("", "0001-01-01T00:00:00+14:00"),
        ):
            with self.subTest(starts=starts, ends=ends):
                response = self.get(self.ana, "override", self.schedule.pk, starts=starts, ends=ends)

                self.assertContains(response, timezone.now().strftime("%Y-%m-"))

    def test_it_tells_what_is_wrong_and_keeps_what_was_typed(self) -> None:
        response = self.post(self.ana, "override", self.schedule.pk, **self.data(ends_at="2020-01-01T00:00"))

        self.assertContains(response, "must end after it begins", status_code=400)
        self.assertContains(response, "Dentist", status_code=400)

    def test_it_asks_which_time_is_meant_when_clocks_repeat_it(self) -> None:
        self.ana.time_zone = "Europe/Zurich"
        self.ana.save(update_fields=["time_zone"])
        times = {"starts_at": "2027-10-31T02:30", "ends_at": "2027-10-31T09:00"}

        asked = self.post(self.ana, "override", self.schedule.pk, **self.data(**times))
        chosen = self.post(
            self.ana, "override", self.schedule.pk, **self.data(**times, starts_at_is="2027-10-31T02:30:00+01:00")
        )

        self.assertContains(asked, "2027-10-31T02:30:00+02:00", status_code=400)
        self.assertEqual(chosen.status_code, 302)
        self.assertEqual(ScheduleOverride.objects.get().starts_at.isoformat(), "2027-10-31T01:30:00+00:00")

    def test_it_shows_the_form_alone_to_scripts(self) -> None:
        self.client.force_login(self.ana)

        response = self.client.get(reverse("console:override", args=[self.schedule.pk]), headers={"HX-Request": "true"})

        self.assertNotContains(response, "<html")

    def test_it_ends_overrides(self) -> None:
        row = make_override(self.schedule, "2026-01-01T00:00", "2099-01-01T00:00", add=(self.ben,))

        refused = self.post(self.other, "override-end", self.schedule.pk, row.pk)
        ended = self.post(self.ben, "override-end", self.schedule.pk, row.pk, next="https://evil.example/")

        self.assertEqual((refused.status_code, ended.status_code), (403, 302))
        self.assertTrue(ended["Location"].startswith("/on-call/"))
        row.refresh_from_db()
        self.assertLessEqual(row.ends_at, timezone.now())
        self.assertEqual(self.get(self.ben, "override-end", self.schedule.pk, row.pk).status_code, 405)


class SwapTests(OnCallCase):
    def setUp(self) -> None:
        super().setUp()
        now = timezone.now()
        Schedule.objects.all().delete()
        self.schedule = make_schedule(layer(self.ana), team=self.team, name="Kitchen rota")
        form = "%Y-%m-%dT%H:%M"
        self.times = {
            "starts_at": (now + dt.timedelta(days=1)).strftime(form),
            "ends_at": (now + dt.timedelta(days=2)).strftime(form),
        }

    def test_it_goes_from_asked_to_approved(self) -> None:
        asked = self.post(self.ana, "swap-offer", self.schedule.pk, **self.times)
        swap = self.schedule.swaps.get()
        self.assertContains(self.get(self.ben, "on-call"), "Take it")
        refused = self.post(self.other, "swap-take", swap.pk)
        own = self.post(self.ana, "swap-take", swap.pk)
        self.post(self.ben, "swap-take", swap.pk)
        self.assertContains(self.get(self.ana, "swaps"), "Ben Ode would take it")
        not_theirs = self.post(self.ben, "swap-approve", swap.pk)
        self.post(self.ana, "swap-approve", swap.pk)

        swap.refresh_from_db()
        self.assertEqual(asked.status_code, 302)
        self.assertEqual((refused.status_code, own.status_code, not_theirs.status_code), (403, 409, 403))
        self.assertEqual((swap.state, swap.override.add), ("approved", [self.ben.pk]))

    def test_it_refuses_a_time_without_a_shift(self) -> None:
        response = self.post(self.ben, "swap-offer", self.schedule.pk, **self.times)

        self.assertContains(response, "is not on call", status_code=400)

    def test_it_is_withdrawn_by_who_asked(self) -> None:
        self.post(self.ana, "swap-offer", self.schedule.pk, **self.times)
        swap = self.schedule.swaps.get()

        refused = self.post(self.ben, "swap-withdraw", swap.pk)
        self.post(self.ana, "swap-withdraw", swap.pk)

        self.assertEqual(refused.status_code, 403)
        self.assertFalse(self.schedule.swaps.exists())

    def test_it_shows_others_teams_nothing(self) -> None:
        self.post(self.ana, "swap-offer", self.schedule.pk, **self.times)

        self.assertContains(self.get(self.other, "swaps"), "No shift needs cover.")
        self.assertContains(self.get(self.admin, "swaps"), "Ana Lund")
        self.assertEqual(Team.objects.count(), 1)

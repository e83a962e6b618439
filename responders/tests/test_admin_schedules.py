from typing import Any

import time_machine
from django.test import TestCase
from django.urls import reverse

from responders.models import ScheduleOverride, ShiftSwap
from responders.tests.schedules import at, layer, make_override, make_schedule, make_team
from users.tests.factories import make_admin, make_responder

NOW = "2026-11-30T12:00:00+00:00"


class AdminTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ana, cls.ben = (make_responder(name=name) for name in ("Ana", "Ben"))
        cls.admin = make_admin()
        cls.schedule = make_schedule(
            layer(cls.ana, cls.ben), name="Primary", team=make_team("Database", cls.ana, cls.ben)
        )
        cls.page = reverse("admin:responders_schedule_change", args=[cls.schedule.pk])

    def setUp(self) -> None:
        clock = time_machine.travel(NOW, tick=False)
        clock.start()
        self.addCleanup(clock.stop)
        self.client.force_login(self.admin)


class PanelTests(AdminTestCase):
    def test_it_draws_the_next_14_days(self) -> None:
        make_override(self.schedule, "2026-12-02T08:00", "2026-12-03T08:00", is_everybody=True)

        answer = self.client.get(self.page)

        self.assertContains(answer, '<svg class="ir-svg" role="img" aria-labelledby="ir-svg-title ir-svg-desc"')
        self.assertContains(answer, "On call for Primary, 14 days from Mon 30 Nov 2026 13:00")
        self.assertContains(answer, "Nobody from Wed 2 Dec 09:00 to Thu 3 Dec 09:00.")
        self.assertContains(answer, 'fill="url(#ir-hatch)"')
        self.assertContains(answer, "Wed 2 Dec 2026 09:00 – Thu 3 Dec 2026 09:00")

    def test_it_says_who_is_on_call_at_a_time(self) -> None:
        answer = self.client.get(f"{self.page}?at=2026-12-08T10:00")
        skipped = self.client.get(f"{self.page}?at=2027-03-28T02:30")

        self.assertContains(answer, "Primary, layer Primary, until Mon 09:00")
        self.assertContains(answer, '<span class="ir-badge ir-status-resolved">Ana</span>')
        self.assertContains(answer, "next hand-over Mon 14 Dec 09:00:")
        self.assertContains(skipped, "does not exist in Europe/Berlin")
        for text in ("0001-01-01T00:00", "9999-12-31T23:59"):
            self.assertContains(self.client.get(f"{self.page}?at={text}"), f"{text} is not a time.")

    def test_it_is_read_by_responders(self) -> None:
        self.client.force_login(self.ana)

        answer = self.client.get(self.page)

        self.assertContains(answer, "ir-svg")
        self.assertNotContains(answer, "Change the line-up")
        self.assertEqual(self.client.get(f"/admin/responders/schedule/{self.schedule.pk}/line-up/").status_code, 403)


class DeactivationTests(AdminTestCase):
    def test_it_shows_what_a_deactivation_would_lose(self) -> None:
        answer = self.client.get(reverse("admin:users_user_change", args=[self.ben.pk]))

        self.assertContains(answer, "shift of Primary, ")
        self.assertContains(answer, ": a gap<br>")


class LineUpTests(AdminTestCase):
    def form(self, **fields: Any) -> dict[str, Any]:
        row = {
            "name": "Primary",
            "turns": "Ana\nBen",
            "every": 1,
            "unit": "weeks",
            "starts_at": "2026-01-05T09:00:00",
            "time": "09:00",
            "weekday": 0,
            "advance": "calendar",
            "restrictions": "",
            "ORDER": 1,
            **fields,
        }
        management = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-MIN_NUM_FORMS": 0, "form-MAX_NUM_FORMS": 30}
        return {**management, **{f"form-0-{name}": value for name, value in row.items()}}

    def post(self, **fields: Any) -> Any:
        buttons = {name: fields.pop(name) for name in ("save", "effective_from") if name in fields}
        return self.client.post(
            reverse("admin:responders_schedule_line_up", args=[self.schedule.pk]), {**self.form(**fields), **buttons}
        )

    def test_it_shows_the_line_up_as_people_write_it(self) -> None:
        other = make_schedule(layer(self.ana, []), name="Other")

        answer = self.client.get(reverse("admin:responders_schedule_line_up", args=[other.pk]))

        self.assertContains(answer, "Ana\n-")

    def test_it_shows_whose_shifts_move_before_it_saves(self) -> None:
        shown = self.post(turns="Ana, Ben\nBen")
        self.assertEqual(self.schedule.versions.count(), 1)

        saved = self.post(turns="Ana, Ben\nBen", save="1")

        self.assertContains(shown, "From Mon 7 Dec 2026 09:00 on")
        self.assertContains(shown, "<td>Ana, Ben</td>")
        self.assertRedirects(saved, self.page)
        self.assertEqual(self.schedule.versions.last().layers[0]["users"], [[self.ana.pk, self.ben.pk], [self.ben.pk]])

    def test_it_reads_restrictions(self) -> None:
        self.post(restrictions="Mon-Wed, Sat 09:00-17:00\n22:00 – 06:00", save="1")

        self.assertEqual(
            self.schedule.versions.last().layers[0]["restrictions"],
            [
                {"weekdays": [0, 1, 2, 5], "from": "09:00", "to": "17:00"},
                {"weekdays": [0, 1, 2, 3, 4, 5, 6], "from": "22:00", "to": "06:00"},
            ],
        )

    def test_it_says_what_it_does_not_understand(self) -> None:
        cases = (
            ({"turns": "Zoe"}, "Nobody is called Zoe."),
            ({"restrictions": "whenever"}, "is not like Mon-Fri 09:00-17:00"),
            ({"restrictions": "Xyz 09:00-17:00"}, "is not a weekday"),
            ({"starts_at": "2026-03-29T02:30"}, "does not exist in Europe/Berlin"),
            ({"starts_at": "soon"}, "Give a time such as"),
            ({"effective_from": "2020-01-01T00:00", "turns": "Ben"}, "has passed"),
        )
        for fields, sentence in cases:
            with self.subTest(fields):
                self.assertContains(self.post(save="1", **fields), sentence)
        self.assertEqual(self.schedule.versions.count(), 1)


class OverrideInlineTests(AdminTestCase):
    def save(self, *rows: dict[str, Any], initial: int = 0) -> Any:
        management = {"TOTAL_FORMS": len(rows), "INITIAL_FORMS": initial, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
        data = {f"overrides-{name}": value for name, value in management.items()}
        for number, row in enumerate(rows):
            data |= {f"overrides-{number}-{name}": value for name, value in row.items()}
        form = {"name": "Primary", "team": self.schedule.team_id, "is_active": "on", "announces_gaps": "on"}
        return self.client.post(self.page, {**form, **data})

    def row(self, day: int, **fields: Any) -> dict[str, Any]:
        return {
            **{"starts_at_0": f"2026-12-{day:02}", "starts_at_1": "08:00", "ends_at_0": f"2026-12-{day:02}"},
            **{"ends_at_1": "12:00", "schedule": self.schedule.pk, "id": "", **fields},
        }

    def test_it_adds_changes_and_deletes(self) -> None:
        self.assertRedirects(self.save(self.row(2, add=[self.ana.pk])), reverse("admin:responders_schedule_changelist"))
        override = ScheduleOverride.objects.get()
        self.assertEqual((override.add, override.remove, override.created_by), ([self.ana.pk], [], self.admin))

        self.save(self.row(2, id=override.pk, add=[self.ana.pk], remove=[self.ben.pk]), initial=1)
        override.refresh_from_db()
        self.assertEqual((override.add, override.remove), ([self.ana.pk], [self.ben.pk]))

        self.save(self.row(2, id=override.pk, add=[self.ana.pk], remove=[self.ben.pk], DELETE="on"), initial=1)
        self.assertEqual(ScheduleOverride.objects.count(), 0)

    def test_it_shows_a_refusal_on_the_form(self) -> None:
        answer = self.save({**self.row(2, add=[self.ana.pk]), "starts_at_0": "2026-10-01"})

        self.assertContains(answer, "has passed; who was on call is not changed.")
        self.assertEqual(ScheduleOverride.objects.count(), 0)


class SwapAdminTests(AdminTestCase):
    def test_it_is_taken_and_approved(self) -> None:
        swap = ShiftSwap.objects.create(
            schedule=self.schedule,
            requester=self.ben,
            starts_at=at("2026-12-01T08:00"),
            ends_at=at("2026-12-02T08:00"),
        )
        page = reverse("admin:responders_shiftswap_changelist")

        for user, action in ((self.ana, "approve"), (self.ana, "take"), (self.ben, "approve")):
            self.client.force_login(user)
            self.client.post(page, {"action": action, "_selected_action": [swap.pk]})

        swap.refresh_from_db()
        self.assertEqual((swap.state, swap.taker, swap.approved_by), ("approved", self.ana, self.ben))

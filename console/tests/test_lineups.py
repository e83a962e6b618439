from typing import Any

from django.urls import reverse
from django.utils import timezone

from console.oncall import layers as editing
from console.tests.test_oncall_pages import OnCallCase
from responders.models import EscalationPolicy, Schedule, ScheduleVersion
from responders.services.lineups import fingerprint, newest_version
from responders.services.oncall import on_call
from responders.tests.schedules import layer, make_schedule


class EditorCase(OnCallCase):
    def form(self, schedule: Schedule | None = None, **more: Any) -> dict[str, Any]:
        """What the editor sends when nothing was touched."""
        row = schedule or self.schedule
        newest = newest_version(row)
        data: dict[str, Any] = {"expected": fingerprint(row), "time_zone": row.time_zone, "effective_from": ""}
        states = editing.stored(newest.layers if newest else [])
        data["layer"] = [one.key for one in states]
        for one in states:
            plain = ("name", "every", "unit", "starts_at", "starts_was", "time", "weekday", "advance")
            data |= {f"{one.key}-{name}": getattr(one, name) for name in plain}
            data[f"{one.key}-turn"] = [",".join(map(str, turn)) for turn in one.turns]
            data[f"{one.key}-hours"] = [str(number) for number in range(len(one.hours))]
            for number, hours in enumerate(one.hours):
                data |= {
                    f"{one.key}-hours-{number}-days": hours.weekdays,
                    f"{one.key}-hours-{number}-from": hours.opens,
                    f"{one.key}-hours-{number}-to": hours.closes,
                }
        return data | more


class LayerTests(EditorCase):
    def test_it_is_for_administrators(self) -> None:
        for user, status in ((self.admin, 200), (self.ana, 403), (self.reporter, 403)):
            with self.subTest(user.name):
                self.assertEqual(self.get(user, "layers", self.schedule.pk).status_code, status)
                self.assertEqual(
                    self.post(user, "layers", self.schedule.pk, do="preview", **self.form()).status_code, status
                )
        self.assertEqual(ScheduleVersion.objects.count(), 1)

    def test_it_takes_what_it_shows_for_no_change(self) -> None:
        response = self.post(self.admin, "layers", self.schedule.pk, do="save", **self.form())

        self.assertEqual(response.status_code, 302)
        self.assertEqual(ScheduleVersion.objects.count(), 1)

    def test_it_does_what_its_buttons_say(self) -> None:
        a, b = self.ana.pk, self.ben.pk
        cases: list[tuple[str, list[str]]] = [
            ("turn-up:l0:1", [f"{b}", f"{a}"]),
            ("turn-down:l0:0", [f"{b}", f"{a}"]),
            ("turn-down:l0:1", [f"{a}", f"{b}"]),
            ("turn-remove:l0:0", [f"{b}"]),
            ("turn-join:l0:1", [f"{a},{b}"]),
            ("turn-add:l0", [f"{a}", f"{b}", f"{self.other.pk}"]),
            ("turn-up:nothing:7", [f"{a}", f"{b}"]),
        ]
        for deed, turns in cases:
            with self.subTest(deed):
                data = self.form(**{"l0-add": self.other.pk})
                response = self.post(self.admin, "layers", self.schedule.pk, do=deed, **data)

                shown = [",".join(map(str, turn)) for turn in response.context["layers"][0].turns]
                self.assertEqual(shown, turns)
        self.assertEqual(ScheduleVersion.objects.count(), 1)

    def test_it_adds_layers_hours_and_splits_turns(self) -> None:
        together = make_schedule(layer([self.ana, self.ben]), team=self.team)

        added = self.post(self.admin, "layers", self.schedule.pk, do="layer-add", **self.form())
        hours = self.post(self.admin, "layers", self.schedule.pk, do="hours-add:l0", **self.form())
        apart = self.post(self.admin, "layers", together.pk, do="turn-split:l0:0", **self.form(together))
        gone = self.post(self.admin, "layers", self.schedule.pk, do="layer-remove:l0", **self.form())

        self.assertEqual([one.name for one in added.context["layers"]], ["Primary", "Layer 2"])
        self.assertEqual(len(hours.context["layers"][0].hours), 1)
        self.assertEqual(apart.context["layers"][0].turns, [[self.ana.pk], [self.ben.pk]])
        self.assertEqual(gone.context["layers"], [])

    def test_it_shows_whose_shifts_move_and_stores_nothing(self) -> None:
        data = self.form(**{"l0-turn": [str(self.ana.pk), str(self.other.pk)]})

        response = self.post(self.admin, "layers-preview", self.schedule.pk, **data)

        self.assertContains(response, "Whose shifts move")
        self.assertContains(response, "Cy Other")
        self.assertNotContains(response, "<html")
        self.assertEqual(ScheduleVersion.objects.count(), 1)

    def test_it_saves_a_new_version(self) -> None:
        data = self.form(**{"l0-turn": [str(self.ana.pk), str(self.other.pk)]})

        response = self.post(self.admin, "layers", self.schedule.pk, do="save", **data)

        self.assertEqual(response.status_code, 302)
        newest = newest_version(self.schedule)
        assert newest is not None
        self.assertEqual(newest.layers[0]["users"], [[self.ana.pk], [self.other.pk]])
        self.assertEqual(newest.created_by, self.admin)

    def test_it_tells_a_conflict_and_keeps_what_was_typed(self) -> None:
        mine = self.form(**{"l0-name": "Mine"})
        self.post(self.admin, "layers", self.schedule.pk, do="save", **self.form(**{"l0-every": "2"}))

        conflict = self.post(self.admin, "layers", self.schedule.pk, do="save", **mine)
        again = {**mine, "expected": conflict.context["form"]["expected"].value()}
        saved = self.post(self.admin, "layers", self.schedule.pk, do="save", **again)

        self.assertContains(conflict, "while you were editing", status_code=409)
        self.assertContains(conflict, "Mine", status_code=409)
        self.assertEqual(saved.status_code, 302)
        newest = newest_version(self.schedule)
        assert newest is not None
        self.assertEqual(newest.layers[0]["name"], "Mine")

    def test_it_refuses_in_words(self) -> None:
        cases = ({"l0-every": "0"}, {"l0-time": "25:00"}, {"l0-turn": ["999999"]}, {"time_zone": "Mars/Base"})
        for wrong in cases:
            with self.subTest(wrong):
                response = self.post(self.admin, "layers", self.schedule.pk, do="save", **self.form(**wrong))

                self.assertEqual(response.status_code, 400)
                self.assertTrue(response.context["preview"]["problem"])
        past = self.post(
            self.admin,
            "layers",
            self.schedule.pk,
            do="save",
            **self.form(effective_from="2020-01-01T00:00", **{"l0-name": "X"}),
        )
        self.assertContains(past, "has passed", status_code=400)

    def test_it_edits_a_schedule_without_layers(self) -> None:
        empty = make_schedule(team=self.team)

        self.assertContains(self.get(self.admin, "layers", empty.pk), "No layer yet")
        added = self.post(self.admin, "layers", empty.pk, do="layer-add", **self.form(empty))
        self.assertEqual(len(added.context["layers"]), 1)

    def test_it_survives_nonsense(self) -> None:
        data = {"do": "turn-up:l0:99999999999999999999", "layer": ["l0", "<b>"], "l0-turn": ["x,y", "9" * 40]}

        response = self.post(self.admin, "layers", self.schedule.pk, **data)

        self.assertEqual(response.status_code, 200)


class WizardTests(OnCallCase):
    def test_it_makes_a_rota_and_a_policy_from_team_and_people(self) -> None:
        Schedule.objects.all().delete()
        page = self.get(self.admin, "on-call-new", team=self.team.pk)
        self.assertContains(page, "Ana Lund")
        self.assertNotContains(page, "Cy Other")

        data = {"team": self.team.pk, "people": [self.ana.pk, self.ben.pk], "with_policy": "on"}
        hand_over = {"weekday": "0", "time": "09:00", "time_zone": "Europe/Zurich"}
        response = self.post(self.admin, "on-call-new", **data, **hand_over)

        made = Schedule.objects.get()
        self.assertEqual(response["Location"], reverse("console:schedule", args=[made.pk]))
        self.assertEqual((made.name, made.time_zone), ("Kitchen", "Europe/Zurich"))
        self.assertEqual([one.user_id for one in on_call([made.pk], timezone.now())[made.pk].people], [self.ana.pk])
        policy = EscalationPolicy.objects.get()
        self.assertEqual((policy.team, len(policy.steps)), (self.team, 3))

    def test_it_is_for_administrators(self) -> None:
        for user in (self.ana, self.reporter):
            self.assertEqual(self.get(user, "on-call-new").status_code, 403)

    def test_it_says_what_is_missing(self) -> None:
        response = self.post(self.admin, "on-call-new", team=self.team.pk, weekday="0", time="09:00", time_zone="UTC")

        self.assertContains(response, "Choose at least one person.", status_code=400)

    def test_it_leaves_settings_alone_that_nobody_edited(self) -> None:
        edited = {"name": "Night rota", "initial-name": self.schedule.name, "description": "", "is_active": "on"}
        same = {"initial-description": "", "initial-is_active": "True", "announces_gaps": "on"}
        Schedule.objects.filter(pk=self.schedule.pk).update(description="Theirs", announces_gaps=False)

        self.post(
            self.admin, "schedule-settings", self.schedule.pk, **edited, **same, **{"initial-announces_gaps": "True"}
        )

        self.schedule.refresh_from_db()
        self.assertEqual((self.schedule.name, self.schedule.description), ("Night rota", "Theirs"))
        self.assertFalse(self.schedule.announces_gaps)

    def test_it_changes_settings(self) -> None:
        refused = self.post(self.ana, "schedule-settings", self.schedule.pk, name="X")
        saved = self.post(
            self.admin, "schedule-settings", self.schedule.pk, name="Night rota", is_active="on", team=self.team.pk
        )
        wrong = self.post(self.admin, "schedule-settings", self.schedule.pk, name="Night rota", holidays="Narnia")

        self.schedule.refresh_from_db()
        self.assertEqual((refused.status_code, saved.status_code, wrong.status_code), (403, 302, 400))
        self.assertEqual(self.schedule.name, "Night rota")

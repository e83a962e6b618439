from django.test import TestCase

from responders.services import oncall
from responders.tests.schedules import at, layer, make_override, make_schedule
from users.tests.factories import make_responder


class OnCallTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ana, cls.ben, cls.cyd = (make_responder(name=name) for name in ("Ana", "Ben", "Cyd"))

    def test_it_says_who_and_why_and_until_when(self) -> None:
        schedule = make_schedule(layer(self.ana, self.ben, name="Weekdays"), name="Primary")

        found = oncall.on_call([schedule.pk], at("2026-01-07T12:00"))[schedule.pk]

        person = found.people[0]
        self.assertEqual((person.name, person.starts_at, found.gap), ("Ana", at("2026-01-05T08:00"), False))
        self.assertEqual(person.why, "Primary, layer Weekdays, until Mon 09:00")

    def test_it_says_who_follows(self) -> None:
        schedule = make_schedule(layer(self.ana, self.ben))

        _, found = oncall.on_call_and_next([schedule.pk], at("2026-01-07T12:00"))[schedule.pk]

        self.assertEqual((found.at, found.people[0].name), (at("2026-01-12T08:00"), "Ben"))

    def test_it_answers_for_many_schedules_in_two_queries(self) -> None:
        keys = [make_schedule(layer(self.ana, self.ben), layer(self.cyd, name="Second")).pk for _ in range(20)]
        make_override(make_schedule(layer(self.ana)), "2026-01-01T00:00", "2026-02-01T00:00", add=(self.ben,))

        with self.assertNumQueries(2):
            found = oncall.on_call(keys, at("2026-01-07T12:00"))

        self.assertEqual({one.people[0].name for one in found.values()}, {"Cyd"})

    def test_it_lets_newer_overrides_win(self) -> None:
        schedule = make_schedule(layer(self.ana))
        make_override(schedule, "2026-02-02T00:00", "2026-02-09T00:00", add=(self.ben,), remove=(self.ana,))
        make_override(schedule, "2026-02-03T00:00", "2026-02-04T00:00", add=(self.cyd,), remove=(self.ben,))
        make_override(schedule, "2026-02-05T00:00", "2026-02-06T00:00", is_everybody=True)

        days = {
            day: [one.name for one in oncall.on_call([schedule.pk], at(f"2026-02-0{day}T12:00"))[schedule.pk].people]
            for day in range(1, 7)
        }

        self.assertEqual(days, {1: ["Ana"], 2: ["Ben"], 3: ["Cyd"], 4: ["Ben"], 5: [], 6: ["Ben"]})

    def test_it_has_nobody_of_schedules_that_are_retired_or_gone(self) -> None:
        schedule = make_schedule(layer(self.ana), is_active=False)

        found = oncall.on_call([schedule.pk, 999_999], at("2026-01-07T12:00"))

        self.assertEqual([one.gap for one in found.values()], [True, True])

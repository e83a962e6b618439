import datetime as dt
from typing import Any
from unittest import mock

import time_machine
from django.test import TestCase

from core.errors import NotFound
from responders import notices
from responders.models import Schedule, ScheduleOverride
from responders.services import covering
from responders.tests.schedules import at, layer, make_override, make_schedule, make_team
from tests.reported import reported_failure
from users.services import set_access
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

SCHEDULES = "/api/v1/schedules/"
MONDAY = "2026-11-30T12:00:00+00:00"


def weekly(*turns: Any, **fields: Any) -> dict[str, Any]:
    return {
        "name": "Primary",
        "users": [[user.pk] for user in turns],
        "rotation": {"unit": "weeks", "every": 1},
        "starts_at": "2026-01-05T09:00:00",
        "hand_over": {"time": "09:00", "weekday": 0},
        **fields,
    }


class ScheduleTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ana, cls.ben, cls.cyd = (make_responder(name=name) for name in ("Ana", "Ben", "Cyd"))
        cls.admin = make_admin()
        cls.team = make_team("Database", cls.ana, cls.ben, cls.cyd)

    def setUp(self) -> None:
        clock = time_machine.travel(MONDAY, tick=False)
        clock.start()
        self.addCleanup(clock.stop)
        self.client = client_of(self.admin)
        self.told: list[notices.Notice] = []
        handlers = mock.patch.object(notices, "_handlers", [self.told.extend])
        handlers.start()
        self.addCleanup(handlers.stop)

    def create(self, *layers: Any, **fields: Any) -> str:
        body = {"name": "Primary", "team": self.team.pk, "time_zone": "Europe/Berlin", "layers": layers, **fields}
        answer = self.client.post(SCHEDULES, body)
        self.assertEqual(answer.status_code, 201, answer.content)
        return f"{SCHEDULES}{answer.json()['id']}/"

    def names(self, path: str, moment: str) -> list[str]:
        return [user["name"] for user in self.client.get(f"{path}on-call/?at={moment}").json()["users"]]


class ScheduleTests(ScheduleTestCase):
    def test_it_says_who_is_on_call_and_why(self) -> None:
        path = self.create(weekly(self.ana, self.ben))

        answer = self.client.get(f"{path}on-call/?at=2026-01-07T12:00:00Z").json()

        self.assertEqual(
            answer,
            {
                "at": "2026-01-07T12:00:00Z",
                "users": [
                    {
                        "id": self.ana.pk,
                        "name": "Ana",
                        "because": {
                            "layer": "Primary",
                            "shift": {"from": "2026-01-05T08:00:00Z", "to": "2026-01-12T08:00:00Z"},
                        },
                    }
                ],
                "next": {
                    "at": "2026-01-12T08:00:00Z",
                    "users": [
                        {
                            "id": self.ben.pk,
                            "name": "Ben",
                            "because": {
                                "layer": "Primary",
                                "shift": {"from": "2026-01-12T08:00:00Z", "to": "2026-01-19T08:00:00Z"},
                            },
                        }
                    ],
                },
                "gap": False,
                "unmatched": [],
            },
        )

    def test_it_lets_everybody_read_and_administrators_write(self) -> None:
        path = self.create(weekly(self.ana))

        for user, status in ((make_reporter(), 403), (self.ana, 403), (self.admin, 200)):
            client = client_of(user)
            self.assertEqual(client.get(f"{path}on-call/").status_code, 200)
            self.assertEqual(client.patch(path, {"name": "Other"}).status_code, status)

    def test_it_accepts_a_schedule_without_anybody(self) -> None:
        path = self.create()

        answer = self.client.get(f"{path}on-call/").json()

        self.assertEqual((answer["users"], answer["gap"], answer["next"]), ([], True, None))
        self.assertEqual(len(self.client.get(f"{path}gaps/").json()["results"]), 1)

    def test_it_begins_today_unless_told_otherwise(self) -> None:
        path = self.create({"users": [[self.ana.pk]]})

        layer = self.client.get(path).json()["layers"][0]

        self.assertEqual(layer["starts_at"], "2026-11-30T00:00:00")
        self.assertEqual(self.names(path, "2026-11-30T12:00:00Z"), ["Ana"])

    def test_it_refuses_times_beyond_the_years_of_schedules(self) -> None:
        path = self.create(weekly(self.ana, self.ben))
        first, last = "0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"

        for asked in (f"on-call/?at={first}", f"on-call/?at={last}", f"shifts/?from={last}", f"gaps/?from={first}"):
            with self.subTest(asked):
                self.assertEqual(self.client.get(f"{path}{asked}").status_code, 400)
        period = "from=2199-12-01T00:00:00Z&to=2199-12-31T00:00:00Z"
        self.assertEqual(self.client.get(f"{path}fairness/?{period}").status_code, 200)

    def test_it_lists_shifts_and_gaps_that_tile_the_time(self) -> None:
        office = [{"weekdays": [0, 1, 2, 3, 4], "from": "09:00", "to": "17:00"}]
        path = self.create(weekly(self.ana, self.ben, restrictions=office))
        period = "?from=2026-02-02T00:00:00Z&to=2026-02-16T00:00:00Z"

        shifts, gaps = (self.client.get(f"{path}{what}/{period}").json()["results"] for what in ("shifts", "gaps"))

        edges = sorted((one["from"], one["to"]) for one in (*shifts, *gaps))
        self.assertEqual(edges[0][0], "2026-02-02T00:00:00Z")
        self.assertEqual(edges[-1][1], "2026-02-16T00:00:00Z")
        self.assertEqual([one[1] for one in edges[:-1]], [one[0] for one in edges[1:]])

    def test_it_refuses_what_it_does_not_know(self) -> None:
        cases = [
            {"layers": [weekly(self.ana, colour="red")]},
            {"layers": [weekly(self.ana, rotation={"unit": "years", "every": 1})]},
            {"layers": [weekly(self.ana, rotation={"unit": "days", "every": 0})]},
            {"layers": [weekly(self.ana, hand_over={"time": "25:00"})]},
            {"layers": [weekly(self.ana, users=[[999_999]])]},
            {"layers": [weekly(make_reporter())]},
            {"layers": [weekly(self.ana), weekly(self.ben)]},
            {"layers": [weekly(self.ana, restrictions=[{"from": "09:00"}])]},
            {"time_zone": "Mars/Olympus"},
            {"holidays": "ZZ"},
        ]

        for body in cases:
            with self.subTest(body):
                answer = self.client.post(SCHEDULES, {"name": "Wrong", **body})

                self.assertEqual((answer.status_code, Schedule.objects.count()), (400, 0), answer.content)
        self.assertEqual(self.client.get(f"{self.create()}shifts/?until=1").status_code, 400)

    @reported_failure(1)
    def test_it_refuses_a_typed_time_that_the_clocks_skip_or_repeat(self) -> None:
        cases = {
            "2026-03-29T02:30:00": ("time_skipped", ["2026-03-29T01:30:00+01:00", "2026-03-29T03:30:00+02:00"]),
            "2026-10-25T02:30:00": ("time_repeated", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]),
        }

        for typed, (code, candidates) in cases.items():
            body = {"name": typed[:10], "time_zone": "Europe/Berlin", "layers": [weekly(self.ana, starts_at=typed)]}
            answer = self.client.post(SCHEDULES, body)

            self.assertEqual((answer.status_code, answer.json()["code"]), (400, code))
            self.assertEqual(answer.json()["candidates"], candidates)
            self.assertEqual(answer.json()["errors"][0]["field"], "layers.0.starts_at")
            body["layers"] = [weekly(self.ana, starts_at=candidates[1])]
            path = f"{SCHEDULES}{self.client.post(SCHEDULES, body).json()['id']}/"
            begins = self.client.get(f"{path}gaps/?from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z").json()
            self.assertEqual(begins["results"], [])
            shifts = self.client.get(f"{path}shifts/?from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z").json()
            start = dt.datetime.fromisoformat(candidates[1]).astimezone(dt.UTC)
            self.assertEqual(shifts["results"][0]["from"], f"{start:%Y-%m-%dT%H:%M:%SZ}")


class VersionTests(ScheduleTestCase):
    @reported_failure(6)
    def test_it_takes_effect_at_the_next_hand_over_and_tells_those_affected(self) -> None:
        path = self.create(weekly(self.ana, self.ben))
        before = self.client.get(f"{path}shifts/?from=2026-01-05T08:00:00Z&to=2026-12-07T08:00:00Z").json()["results"]

        answer = self.client.patch(path, {"layers": [weekly(self.cyd, self.ben)]}).json()

        after = self.client.get(f"{path}shifts/?from=2026-01-05T08:00:00Z&to=2026-12-07T08:00:00Z").json()["results"]
        self.assertEqual(after, before)
        self.assertEqual(answer["effective_from"], "2026-12-07T08:00:00Z")
        first = answer["difference"][0]
        self.assertEqual((first["from"], first["to"]), ("2026-12-07T08:00:00Z", "2026-12-14T08:00:00Z"))
        self.assertEqual([one["name"] for one in (*first["was"], *first["will_be"])], ["Ana", "Cyd"])
        self.assertEqual({user for notice in self.told for user in notice.users}, {self.ana.pk, self.cyd.pk})
        lines = self.told[0].body.splitlines()
        self.assertEqual(lines[0], "Mon 7 Dec 2026 09:00 to Mon 14 Dec 2026 09:00: was Ana, will be Cyd.")
        self.assertRegex(lines[-2], r"^… and \d more\.$")
        self.assertEqual(lines[-1], "Times are in Europe/Berlin.")

    @reported_failure(6)
    def test_it_stores_nothing_in_a_dry_run(self) -> None:
        path = self.create(weekly(self.ana, self.ben))
        known = self.client.get(path).json()

        answer = self.client.patch(f"{path}?dry_run=true", {"name": "X", "layers": [weekly(self.cyd, self.ben)]}).json()
        real = self.client.patch(path, {"name": "X", "layers": [weekly(self.cyd, self.ben)]}).json()

        self.assertEqual(answer, real)
        self.assertEqual(known["name"], "Primary")
        self.assertEqual(len(self.told), 2)

    def test_it_refuses_to_change_the_past(self) -> None:
        path = self.create(weekly(self.ana))

        answer = self.client.patch(path, {"layers": [weekly(self.ben)], "effective_from": "2026-11-23T09:00:00"})

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "in_the_past"))

    def test_it_changes_from_a_chosen_time_on(self) -> None:
        path = self.create(weekly(self.ana, self.ben))

        for way in ({"effective_from": "2026-12-21T09:00:00"}, {}):
            layers = [weekly(self.cyd, **({} if way else {"effective_from": "2026-12-21T09:00:00+01:00"}))]
            answer = self.client.patch(f"{path}?dry_run=true", {"layers": layers, **way}).json()

            self.assertEqual(answer["effective_from"], "2026-12-21T08:00:00Z")
            self.assertEqual(answer["difference"][0]["from"], "2026-12-21T08:00:00Z")

    def test_it_changes_nothing_when_it_is_sent_what_it_said(self) -> None:
        path = self.create(weekly(self.ana, self.ben))

        for method in (self.client.put, self.client.patch):
            answer = method(
                path, {k: v for k, v in self.client.get(path).json().items() if k not in ("id", "created_at")}
            )

            self.assertEqual((answer.status_code, answer.json()["difference"]), (200, []), answer.content)
        self.assertEqual(Schedule.objects.get().versions.count(), 1)

    @reported_failure(5)
    def test_it_moves_nobody_elses_turn_when_somebody_is_removed(self) -> None:
        dee = make_responder(name="Dee")
        people = [self.ana, self.ben, self.cyd, dee]
        for gone in people:
            with self.subTest(gone.name):
                path = self.create(weekly(*people), name=f"Without {gone.name}")
                before = self.shifts_of_others(path, gone)

                rest = [one for one in people if one != gone]
                answer = self.client.patch(path, {"layers": [weekly(*rest)]}).json()

                self.assertEqual(self.shifts_of_others(path, gone), before)
                self.assertTrue(all(one["will_be"] == [] for one in answer["difference"]))
                self.assertEqual(answer["layers"][0]["users"], [[one.pk] if one != gone else [] for one in people])

    @reported_failure(5)
    def test_it_opens_gaps_where_somebody_was_deactivated(self) -> None:
        people = [self.ana, self.ben, self.cyd]
        for gone in people:
            with self.subTest(gone.name):
                path = self.create(weekly(*people), name=f"Without {gone.name}")
                before = self.shifts_of_others(path, gone)
                preview = self.client.get(f"/api/v1/users/{gone.pk}/deactivation/").json()["losses"]

                set_access(gone, by=self.admin, is_active=False)

                gaps = self.client.get(f"{path}gaps/?to=2027-03-10T12:00:00Z").json()["results"]
                lost = [(one["from"], one["to"]) for one in preview if one["what"] == f"shift of Without {gone.name}"]
                self.assertEqual([(one["from"], one["to"]) for one in gaps], lost)
                self.assertEqual(self.shifts_of_others(path, gone), before)
                self.assertIn(
                    gone.name,
                    self.names(path, "2026-06-01T12:00:00Z")
                    + self.names(path, "2026-06-08T12:00:00Z")
                    + self.names(path, "2026-06-15T12:00:00Z"),
                )
                set_access(gone, by=self.admin, is_active=True)
                Schedule.objects.all().delete()

    def test_it_keeps_the_turn_that_is_due_when_somebody_joins(self) -> None:
        path = self.create(weekly(self.ana, self.ben))

        answer = self.client.patch(path, {"layers": [weekly(self.ana, self.ben, self.cyd)]}).json()

        weeks = [self.names(path, f"2026-12-{day:02}T12:00:00Z")[0] for day in (1, 8, 15, 22, 29)]
        self.assertEqual(weeks, ["Ben", "Ana", "Ben", "Cyd", "Ana"])
        self.assertEqual(answer["effective_from"], "2026-12-07T08:00:00Z")

    def shifts_of_others(self, path: str, gone: Any) -> list[Any]:
        found = self.client.get(f"{path}shifts/?from=2026-11-01T00:00:00Z&to=2027-06-01T00:00:00Z").json()["results"]
        return [one for one in found if one["user"]["id"] != gone.pk]

    @reported_failure(1)
    def test_it_reads_times_asked_for_by_the_schedules_clocks(self) -> None:
        path = self.create(weekly(self.ana, self.ben))

        found = [self.names(path, f"2026-12-07T{typed}") for typed in ("08:59", "09:00", "08:30:00Z")]
        skipped = self.client.get(f"{path}on-call/?at=2027-03-28T02:30")
        shifts = self.client.get(f"{path}shifts/?from=2026-12-07T09:00&to=2026-12-08T09:00").json()

        extreme = self.client.get(f"{path}on-call/?at=0001-01-01T00:00")

        self.assertEqual(found, [["Ben"], ["Ana"], ["Ana"]])
        self.assertEqual(extreme.status_code, 400)
        self.assertEqual((skipped.status_code, skipped.json()["code"]), (400, "time_skipped"))
        self.assertEqual((shifts["from"], shifts["to"]), ("2026-12-07T08:00:00Z", "2026-12-08T08:00:00Z"))


class OverrideTests(ScheduleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.create(weekly(self.ana, self.ben))
        self.overrides = f"{self.path}overrides/"

    def add(self, user: Any = None, **body: Any) -> Any:
        body = {"from": "2026-12-01T08:00:00Z", "to": "2026-12-02T08:00:00Z", **body}
        return client_of(user or self.ana).post(self.overrides, body)

    @reported_failure(4)
    def test_it_stacks_overrides(self) -> None:
        self.add(add=[self.cyd.pk], remove=[self.ben.pk])
        self.add(remove=[self.cyd.pk], **{"from": "2026-12-01T10:00:00Z", "to": "2026-12-01T12:00:00Z"})
        self.add(add=[self.ana.pk], **{"from": "2026-12-01T11:00:00Z", "to": "2026-12-01T12:00:00Z"})

        hours = {hour: self.names(self.path, f"2026-12-01T{hour:02}:30:00Z") for hour in (7, 8, 10, 11, 12)}

        self.assertEqual(hours, {7: ["Ben"], 8: ["Cyd"], 10: [], 11: ["Ana"], 12: ["Cyd"]})
        because = self.client.get(f"{self.path}on-call/?at=2026-12-01T11:30:00Z").json()["users"][0]["because"]
        self.assertEqual(because["shift"], {"from": "2026-12-01T11:00:00Z", "to": "2026-12-01T12:00:00Z"})
        self.assertIn("override", because)

    @reported_failure(4)
    def test_it_changes_one_layer_only(self) -> None:
        office = [{"weekdays": [1], "from": "09:00", "to": "10:00"}]
        layers = [weekly(self.ana, self.ben), weekly(self.cyd, name="Morning", restrictions=office)]
        path = self.create(*layers, name="Two layers")

        answer = client_of(self.ana).post(
            f"{path}overrides/",
            {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z", "layer": "Morning", "remove": [self.cyd.pk]},
        )

        self.assertEqual(answer.status_code, 201)
        self.assertEqual(self.names(path, "2026-12-01T08:30:00Z"), ["Ben"])
        self.assertEqual(self.names(path, "2026-12-08T08:30:00Z"), ["Cyd"])

    @reported_failure(4)
    def test_it_keeps_the_past(self) -> None:
        past = self.add(**{"from": "2026-11-01T08:00:00Z", "to": "2026-11-02T08:00:00Z"}, add=[self.cyd.pk])
        over = make_override(Schedule.objects.get(), "2026-11-03T08:00", "2026-11-04T08:00", add=(self.cyd,))
        running = make_override(Schedule.objects.get(), "2026-11-30T08:00", "2026-12-04T08:00", add=(self.cyd,))

        self.assertEqual((past.status_code, past.json()["code"]), (409, "in_the_past"))
        self.assertEqual(self.client.delete(f"{self.overrides}{over.pk}/").status_code, 409)
        self.assertEqual(self.client.patch(f"{self.overrides}{over.pk}/", {"add": []}).status_code, 409)
        self.assertEqual(self.client.patch(f"{self.overrides}{running.pk}/", {"add": []}).status_code, 409)
        self.assertEqual(self.client.delete(f"{self.overrides}{running.pk}/").status_code, 204)
        running.refresh_from_db()
        self.assertEqual(running.ends_at, at("2026-11-30T12:00"))
        self.assertEqual(self.names(self.path, "2026-11-30T11:00:00Z"), ["Ben", "Cyd"])

    def test_it_deletes_one_to_come(self) -> None:
        pk = self.add(add=[self.cyd.pk], remove=[self.ben.pk]).json()["id"]

        answer = client_of(self.ben).delete(f"{self.overrides}{pk}/")

        self.assertEqual(answer.status_code, 204)
        self.assertEqual(self.names(self.path, "2026-12-01T11:30:00Z"), ["Ben"])

    def test_it_is_not_found_by_whoever_deletes_it_second(self) -> None:
        row = make_override(Schedule.objects.get(), "2026-12-07T08:00", "2026-12-08T08:00", add=(self.cyd,))
        covering.remove_override(ScheduleOverride.objects.get(), by=self.admin, now=at("2026-11-30T12:00"))

        with self.assertRaises(NotFound):
            covering.remove_override(row, by=self.admin, now=at("2026-11-30T12:00"))

    def test_it_lets_the_team_write(self) -> None:
        outsider = make_responder()
        make_team("Elsewhere", outsider)

        for user, status in ((outsider, 403), (make_reporter(), 403), (self.ben, 201), (self.admin, 201)):
            self.assertEqual(self.add(user, add=[self.cyd.pk]).status_code, status)

    def test_it_reads_a_time_without_offset_by_the_schedules_clocks(self) -> None:
        answer = self.add(add=[self.cyd.pk], **{"from": "2026-12-01T09:00:00", "to": "2026-12-01T10:00:00"})
        repeated = self.add(add=[self.cyd.pk], **{"from": "2027-10-31T02:30:00", "to": "2027-10-31T10:00:00"})

        self.assertEqual(answer.json()["from"], "2026-12-01T08:00:00Z")
        self.assertEqual((repeated.status_code, repeated.json()["code"]), (400, "time_repeated"))
        self.assertEqual(len(repeated.json()["candidates"]), 2)

    def test_it_refuses_overrides_that_say_nothing_or_nonsense(self) -> None:
        cases = (
            {},
            {"add": [self.cyd.pk], "to": "2026-12-01T08:00:00Z"},
            {"add": [999_999]},
            {"add": [make_reporter().pk]},
            {"add": [self.cyd.pk], "layer": "Nowhere"},
            {"add": [self.cyd.pk], "remove": [self.cyd.pk]},
            {"everyone": True},
        )
        for body in cases:
            with self.subTest(body):
                self.assertEqual(self.add(**body).status_code, 400)
        self.assertEqual(self.add(everybody=True).status_code, 201)
        self.assertEqual(self.names(self.path, "2026-12-01T11:30:00Z"), [])


class SwapTests(ScheduleTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.create(weekly(self.ana, self.ben))
        self.body = {
            "schedule": Schedule.objects.get().pk,
            "from": "2026-12-01T08:00:00Z",
            "to": "2026-12-02T08:00:00Z",
        }

    def test_it_is_asked_taken_and_approved(self) -> None:
        asked = client_of(self.ben).post("/api/v1/shift-swaps/", self.body)
        swap = f"/api/v1/shift-swaps/{asked.json()['id']}/"

        taken = client_of(self.cyd).post(f"{swap}take/")
        others = client_of(self.cyd).post(f"{swap}approve/")
        approved = client_of(self.ben).post(f"{swap}approve/")

        self.assertEqual([one.status_code for one in (asked, taken, others, approved)], [201, 200, 403, 200])
        self.assertEqual((taken.json()["state"], taken.json()["taker"]["name"]), ("taken", "Cyd"))
        self.assertEqual(self.names(self.path, "2026-12-01T12:00:00Z"), ["Cyd"])
        self.assertEqual(self.names(self.path, "2026-12-02T12:00:00Z"), ["Ben"])
        kinds = [(notice.kind, sorted(notice.users)) for notice in self.told]
        self.assertIn(("swap", sorted([self.ana.pk, self.cyd.pk])), kinds)
        self.assertIn(("line_up", [self.cyd.pk]), kinds)
        self.assertEqual(self.told[0].body, "Tue 1 Dec 2026 09:00 to Wed 2 Dec 2026 09:00, Europe/Berlin.")

    def test_it_is_only_for_whoever_is_on_shift(self) -> None:
        for user, status in ((self.ana, 409), (make_reporter(), 409), (self.ben, 201)):
            self.assertEqual(client_of(user).post("/api/v1/shift-swaps/", self.body).status_code, status)
        for_ben = {**self.body, "user": self.ben.pk}
        self.assertEqual(client_of(self.ana).post("/api/v1/shift-swaps/", for_ben).status_code, 403)
        self.assertEqual(self.client.post("/api/v1/shift-swaps/", for_ben).status_code, 201)

    def test_it_is_taken_once_by_somebody_of_the_team(self) -> None:
        swap = client_of(self.ben).post("/api/v1/shift-swaps/", self.body).json()["id"]
        take = f"/api/v1/shift-swaps/{swap}/take/"

        statuses = [client_of(user).post(take).status_code for user in (make_responder(), self.ben, self.ana, self.cyd)]

        self.assertEqual(statuses, [403, 409, 200, 409])

    def test_it_is_refused_for_the_past_and_withdrawn(self) -> None:
        past = {**self.body, "from": "2026-11-01T08:00:00Z"}
        self.assertEqual(client_of(self.ben).post("/api/v1/shift-swaps/", past).status_code, 409)
        swap = client_of(self.ben).post("/api/v1/shift-swaps/", self.body).json()["id"]

        statuses = [client_of(user).delete(f"/api/v1/shift-swaps/{swap}/").status_code for user in (self.ana, self.ben)]

        self.assertEqual(statuses, [403, 204])


class FairnessTests(ScheduleTestCase):
    def test_it_counts_hours_nights_weekends_and_holidays(self) -> None:
        path = self.create(weekly(self.ana, self.ben), holidays="DE-BE")

        rows = self.client.get(f"{path}fairness/?from=2026-12-21T08:00:00Z&to=2026-12-28T08:00:00Z").json()["results"]

        self.assertEqual(
            rows,
            [
                {
                    "user": {"id": self.ana.pk, "name": "Ana"},
                    **{"hours": 168.0, "night_hours": 56.0, "weekend_hours": 48.0, "holiday_hours": 48.0},
                    **{"shifts": 1, "nights": 7, "weekends": 1, "holidays": 2},
                }
            ],
        )

    def test_it_counts_the_hour_that_the_clocks_give(self) -> None:
        path = self.create(weekly(self.ana, self.ben))

        hours = [
            self.client.get(f"{path}fairness/?from={start}&to={end}").json()["results"][0]["hours"]
            for start, end in (
                ("2026-03-23T08:00:00Z", "2026-03-30T07:00:00Z"),
                ("2026-10-19T07:00:00Z", "2026-10-26T08:00:00Z"),
            )
        ]

        self.assertEqual(hours, [167.0, 169.0])


class CostTests(ScheduleTestCase):
    def test_it_asks_no_more_for_a_long_history(self) -> None:
        schedule = make_schedule(layer(self.ana, self.ben))
        for day in range(1, 29):
            make_override(schedule, f"2026-12-{day:02}T08:00", f"2026-12-{day:02}T12:00", add=(self.cyd,))
        path = f"{SCHEDULES}{schedule.pk}/on-call/"
        self.client.get(path)

        with self.assertNumQueries(3):  # the schedule itself, what decides, names
            self.client.get(path)

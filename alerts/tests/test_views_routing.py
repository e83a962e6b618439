import datetime as dt

from auditlog.models import LogEntry
from django.test import TestCase
from django.utils import timezone

from alerts.models import Route, Silence
from alerts.serializers.routing import RouteSerializer, SilenceSerializer
from alerts.tests.factories import fire, make_route, make_silence, make_source, matchers_of
from core.severity import Priority, Severity
from incidents.tests.factories import make_category, make_service, make_team
from users.tests.factories import client_of, make_admin, make_responder

ROUTES = "/api/v1/routes/"
SILENCES = "/api/v1/silences/"
MATCHER = {"name": "severity", "op": "=", "value": "critical"}


class RouteTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin = make_admin()

    def setUp(self):
        self.client = client_of(self.admin)

    def make(self, **fields):
        return self.client.post(ROUTES, {"name": "Databases", **fields})

    def test_it_takes_every_field_in_the_words_of_the_api(self):
        team, category = make_team("Database"), make_category("disk")
        fields = {
            **{"matchers": [MATCHER], "continue": True, "drop": False, "team": team.pk, "severity": "high"},
            **{"priority": "p2", "category": category.slug, "service": make_service("payments").slug},
            **{"group_by": ["cluster"], "open_after": {"count": 3, "minutes": 10}, "position": 7, "is_enabled": False},
        }

        answer = self.make(**fields)

        made, route = answer.json(), Route.objects.get()
        self.assertEqual(answer.status_code, 201, made)
        self.assertEqual({name: made[name] for name in fields}, fields)
        self.assertEqual((made["dropped_count"], made["matched_count"]), (0, 0))
        self.assertEqual((route.severity, route.priority, route.go_on), (Severity.HIGH, Priority.P2, True))
        self.assertEqual((route.open_after_count, route.open_after_minutes), (3, 10))

    def test_it_shows_what_the_description_says(self):
        made = self.make().json()

        self.assertEqual(set(made), set(RouteSerializer().fields))
        self.assertEqual(made["open_after"], {"count": 1, "minutes": 5})
        self.assertIsNone(made["group_by"])

    def test_it_changes_a_part(self):
        route = make_route(open_after_count=3, open_after_minutes=10, severity=4)

        answer = self.client.patch(
            f"{ROUTES}{route.pk}/", {"open_after": {"count": 5}, "severity": None, "continue": True}
        )

        route.refresh_from_db()
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertEqual((route.open_after_count, route.open_after_minutes), (5, 10))
        self.assertEqual((route.severity, route.go_on), (None, True))

    def test_it_waits_for_no_more_firings_than_are_written_down(self):
        answers = [self.make(name=f"R{count}", open_after={"count": count}).status_code for count in (1000, 1001)]

        self.assertEqual(answers, [201, 400])

    def test_it_writes_matchers_out_in_full(self):
        made = self.make(matchers=[{"name": "host", "value": "db-3"}, {"name": "gone"}]).json()

        expected = [{"name": "host", "op": "=", "value": "db-3"}, {"name": "gone", "op": "=", "value": ""}]
        self.assertEqual(made["matchers"], expected)

    def test_it_refuses_to_drop_everything(self):
        route = make_route(is_drop=False)
        for matchers in ([], matchers_of(("team", "=~", ".*")), matchers_of(("source", "=~", ".+"))):
            with self.subTest(matchers=matchers):
                made = self.make(drop=True, matchers=matchers)
                changed = self.client.patch(f"{ROUTES}{route.pk}/", {"drop": True, "matchers": matchers})

                self.assertEqual([made.status_code, changed.status_code], [400, 400])
                self.assertEqual(changed.json()["errors"][0]["field"], "matchers")
        flagged = self.client.patch(f"{ROUTES}{route.pk}/", {"drop": True})
        contrary = self.make(matchers=matchers_of(("a", "=", "1"), ("a", "=", "2")))
        kept = self.make(drop=True, matchers=matchers_of(("team", "=", "test")))
        every = self.make(name="All", matchers=[])

        self.assertEqual([flagged.status_code, contrary.status_code], [400, 400])
        self.assertEqual([kept.status_code, every.status_code], [201, 201])

    def test_it_names_the_matcher_that_cannot_be(self):
        table = [
            ([MATCHER, {"name": "a b", "op": "=", "value": "x"}], "Matcher 2: 'a b' is not a label name."),
            ([MATCHER, {"name": "a\n", "op": "=", "value": "x"}], "Matcher 2: 'a\\n' is not a label name."),
            ([{"name": "host", "op": "=~", "value": "["}], "Matcher 1: [ is not a regular expression"),
            ([{"name": "host", "op": "=~", "value": "(?=a)b"}], "Matcher 1: (?=a)b holds a look-ahead"),
            (
                [{"name": "host", "op": "=~", "value": r"\w{1,500}"}],
                "is too large once its repetitions are written out",
            ),
            ([{"name": "host", "op": "==", "value": "x"}], "'==' is not one of = != =~ !~."),
            ([{"name": "host", "op": "=", "value": 3}], "The value for host must be text."),
            ([{"name": "host", "op": ["="], "value": "x"}], "is not one of"),
            ([{"label": "host"}], "A matcher must be an object"),
            (["host=db"], "A matcher must be an object"),
            ("host=db", "a list of at most 50"),
            ([MATCHER] * 51, "a list of at most 50"),
            (None, "null"),
        ]
        for matchers, sentence in table:
            with self.subTest(matchers=str(matchers)[:60]):
                answer = self.make(matchers=matchers)

                self.assertEqual(answer.status_code, 400, answer.content)
                error = answer.json()["errors"][0]
                self.assertEqual(error["field"], "matchers")
                self.assertIn(sentence, error["message"])
        self.assertEqual(Route.objects.count(), 0)

    def test_it_refuses_what_cannot_work(self):
        table = [
            {"severity": "awful"},
            {"priority": 1},
            {"category": "nowhere"},
            {"service": "nothing"},
            {"service": 3},
            {"service": {"slug": "x"}},
            {"team": 10**9},
            {"open_after": {"count": 0}},
            {"open_after": {"minutes": 10**9}},
            {"open_after": {"seconds": 5}},
            {"open_after": 3},
            {"group_by": ["a b"]},
            {"position": -1},
            {"go_on": True},
            {"matched_count": 3, "colour": "red"},
            {"name": ""},
        ]
        for fields in table:
            with self.subTest(fields=fields):
                self.assertEqual(self.make(**fields).status_code, 400)
        self.assertEqual(Route.objects.count(), 0)

    def test_it_puts_a_new_one_last(self):
        positions = [self.make(name=f"Route {number}").json()["position"] for number in range(3)]

        self.assertEqual(positions, [0, 1, 2])

    def test_it_tells_how_much_took_it(self):
        kept, dropping = make_route(matchers=[MATCHER]), make_route(is_drop=True)
        source = make_source()
        fire(source, "a", severity="critical")
        client = client_of(make_responder())

        shown = {one["id"]: one for one in client.get(ROUTES).json()["results"]}

        self.assertEqual([shown[kept.pk][name] for name in ("matched_count", "dropped_count")], [1, 0])
        self.assertEqual([shown[dropping.pk][name] for name in ("matched_count", "dropped_count")], [0, 0])

    def test_it_lists_them_in_their_order_at_a_constant_cost(self):
        category, service = make_category("disk"), make_service("payments")
        for number in range(20):
            make_route(name=f"Number {number}", position=20 - number, category=category, service=service)

        with self.assertNumQueries(1):
            found = self.client.get(ROUTES).json()["results"]

        self.assertEqual([one["position"] for one in found], list(range(1, 21)))

    def test_it_puts_them_in_another_order(self):
        one, two, three = make_route(), make_route(), make_route()

        answer = self.client.post(f"{ROUTES}reorder/", {"ids": [three.pk, one.pk, two.pk]})

        self.assertEqual(answer.json(), {"ids": [three.pk, one.pk, two.pk]})
        self.assertEqual(list(Route.objects.values_list("pk", flat=True)), [three.pk, one.pk, two.pk])
        entry = LogEntry.objects.filter(content_type__model="route", object_id=three.pk).latest("pk")
        self.assertEqual((entry.actor, set(entry.changes)), (self.admin, {"position"}))

    def test_it_wants_every_route_once(self):
        one, two = make_route(), make_route()
        for ids in ([one.pk], [one.pk, two.pk, two.pk], [one.pk, two.pk, 10**9], [], [one.pk, 10**9], ["x"], 3):
            with self.subTest(ids=ids):
                answer = self.client.post(f"{ROUTES}reorder/", {"ids": ids})

                self.assertEqual(answer.status_code, 400, answer.content)
                self.assertEqual(answer.json()["errors"][0]["field"].split(".")[0], "ids")
        self.assertEqual(list(Route.objects.values_list("pk", flat=True)), [one.pk, two.pk])

    def test_it_refuses_a_name_that_differs_in_case_only(self):
        self.make()

        self.assertEqual(self.make(name="DATABASES").status_code, 400)

    def test_it_writes_down_who_did_what(self):
        made = self.make(matchers=[MATCHER]).json()
        self.client.delete(f"{ROUTES}{made['id']}/")

        entries = LogEntry.objects.filter(content_type__model="route", object_id=made["id"])

        self.assertEqual([entry.actor for entry in entries], [self.admin] * 2)


class SilenceTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.responder = make_responder()

    def setUp(self):
        self.client = client_of(self.responder)
        self.now = timezone.now()

    def make(self, **fields):
        ends_at = (self.now + dt.timedelta(hours=1)).isoformat()
        return self.client.post(SILENCES, {"matchers": [MATCHER], "ends_at": ends_at, **fields})

    def at(self, **shift):
        return (self.now + dt.timedelta(**shift)).isoformat()

    def test_it_is_made_by_a_responder(self):
        answer = self.make(comment="New disks")

        made = answer.json()
        self.assertEqual(answer.status_code, 201, made)
        self.assertEqual(set(made), set(SilenceSerializer().fields))
        self.assertEqual((made["is_active"], made["created_by"], made["time_zone"]), (True, self.responder.pk, "UTC"))
        entry = LogEntry.objects.get(content_type__model="silence", object_id=made["id"])
        self.assertEqual(entry.actor, self.responder)

    def test_it_silences(self):
        self.make()

        alert = fire(make_source(), severity="critical")

        self.assertEqual((alert.incident, alert.silenced_by), (None, Silence.objects.get()))

    def test_it_repeats_weekly(self):
        days = [day for day in range(7) if day != self.now.weekday()]
        fields = {"weekdays": [6, 0, 6], "starts_time": "22:00:00", "ends_time": "02:00:00", "time_zone": "Asia/Tokyo"}

        made = self.make(**fields, ends_at=self.at(days=300)).json()
        other = self.make(weekdays=days, ends_at=self.at(days=300)).json()

        self.assertEqual({**fields, "weekdays": [0, 6]}, {name: made[name] for name in fields})
        self.assertFalse(other["is_active"])

    def test_it_refuses_what_cannot_be(self):
        table = [
            ({"matchers": []}, "matchers"),
            ({"matchers": [{"name": "a b"}]}, "matchers"),
            ({"ends_at": None}, "ends_at"),
            ({"starts_at": self.at(hours=2), "ends_at": self.at(hours=1)}, "ends_at"),
            ({"starts_at": self.at(hours=1), "ends_at": self.at(hours=1)}, "ends_at"),
            ({"ends_at": self.at(days=400)}, "ends_at"),
            ({"weekdays": [7]}, "weekdays"),
            ({"weekdays": ["monday"]}, "weekdays"),
            ({"weekdays": [True]}, "weekdays"),
            ({"starts_time": "22:00"}, "weekdays"),
            ({"weekdays": [1], "starts_time": "22:00", "ends_time": "22:00"}, "ends_time"),
            ({"time_zone": "Middle/Earth"}, "time_zone"),
            ({"time_zone": "../../etc/passwd"}, "time_zone"),
            ({"created_by": 3, "colour": "red"}, "colour"),
        ]
        for fields, field in table:
            with self.subTest(fields=fields):
                answer = self.make(**fields)

                self.assertEqual(answer.status_code, 400, answer.content)
                self.assertEqual(answer.json()["errors"][0]["field"].split(".")[0], field)
        self.assertEqual(Silence.objects.count(), 0)

    def test_it_knows_midnight_as_an_end(self):
        for starts, ends, shown in (
            ("21:00", "24:00", "24:00:00"),
            ("00:00", "24:00", "24:00:00"),
            ("21:00", "02:00", "02:00:00"),
        ):
            with self.subTest(ends):
                made = self.make(weekdays=[0], starts_time=starts, ends_time=ends)

                self.assertEqual((made.status_code, made.json()["ends_time"]), (201, shown), made.content)

    def test_it_refuses_what_would_silence_everything_or_nothing(self):
        silence = make_silence(("a", "=", "b"))
        for op, value in (("=~", ".*"), ("=", ""), ("!~", "db.+"), ("!=", "x")):
            matchers = matchers_of(("team", op, value))
            for answer in (
                self.make(matchers=matchers),
                self.client.patch(f"{SILENCES}{silence.pk}/", {"matchers": matchers}),
            ):
                with self.subTest(op=op, method=answer.request["REQUEST_METHOD"]):
                    error = answer.json()["errors"][0]
                    self.assertEqual((answer.status_code, error["field"]), (400, "matchers"))
                    self.assertIn("Ask for a value of at least one label", error["message"])
        for matchers in (matchers_of(("a", "=", "1"), ("a", "=", "2")), matchers_of(("a", "=", "1"), ("a", "!=", "1"))):
            self.assertIn("contradict each other", self.make(matchers=matchers).json()["errors"][0]["message"])
        self.assertEqual(Silence.objects.count(), 1)

    def test_it_ends_what_was_stored_before_that_was_refused(self):
        silence = make_silence(("team", "=~", ".*"))

        answer = self.client.post(f"{SILENCES}{silence.pk}/end/")

        self.assertEqual(answer.status_code, 200)

    def test_it_ends_now_and_stays(self):
        for method, path in (("post", "end/"), ("delete", "")):
            with self.subTest(method):
                silence = make_silence(("host", "=", "db-3"))

                answer = getattr(self.client, method)(f"{SILENCES}{silence.pk}/{path}")

                self.assertEqual(answer.status_code, 200 if path else 204)
                shown = self.client.get(f"{SILENCES}{silence.pk}/").json()
                silence.refresh_from_db()
                self.assertLessEqual(silence.ends_at, timezone.now())
                self.assertEqual((shown["is_active"], silence.starts_at < silence.ends_at), (False, True))

    def test_it_ends_one_that_had_not_begun(self):
        silence = make_silence(starts_at=self.now + dt.timedelta(hours=1), ends_at=self.now + dt.timedelta(hours=2))

        self.client.post(f"{SILENCES}{silence.pk}/end/")

        silence.refresh_from_db()
        self.assertEqual(silence.starts_at, silence.ends_at)
        self.assertLessEqual(silence.ends_at, timezone.now())

    def test_it_leaves_one_alone_that_is_over(self):
        over = self.now - dt.timedelta(hours=1)
        silence = make_silence(("a", "=", "b"), starts_at=over - dt.timedelta(hours=1), ends_at=over)

        ended = self.client.post(f"{SILENCES}{silence.pk}/end/")
        changed = self.client.patch(f"{SILENCES}{silence.pk}/", {"ends_at": self.at(hours=1)})

        silence.refresh_from_db()
        self.assertEqual((ended.status_code, changed.status_code, silence.ends_at), (200, 409, over))
        self.assertEqual(changed.json()["code"], "silence_over")

    def test_it_checks_a_change_against_what_stands(self):
        silence = make_silence(("a", "=", "b"))

        wrong = self.client.patch(f"{SILENCES}{silence.pk}/", {"starts_at": self.at(hours=5)})
        right = self.client.patch(f"{SILENCES}{silence.pk}/", {"ends_at": self.at(hours=5)})

        self.assertEqual((wrong.status_code, right.status_code), (400, 200))

    def test_it_lists_those_that_are_not_over(self):
        over = make_silence(ends_at=self.now - dt.timedelta(seconds=1))
        running = make_silence()

        ids = {
            word: [one["id"] for one in self.client.get(SILENCES, query).json()["results"]]
            for word, query in {"all": {}, "true": {"is_ended": "true"}, "false": {"is_ended": "false"}}.items()
        }

        self.assertEqual(ids, {"all": [running.pk, over.pk], "true": [over.pk], "false": [running.pk]})
        for query in ({"is_ended": "x"}, {"colour": "red"}, {"ordering": "comment"}):
            self.assertEqual(self.client.get(SILENCES, query).status_code, 400)

    def test_it_lists_at_a_constant_cost(self):
        for _number in range(20):
            make_silence(("a", "=~", "b"), created_by=self.responder)

        with self.assertNumQueries(1):
            self.client.get(SILENCES)

from django.urls import reverse

from alerts.models import Alert, Route
from alerts.tests.back_office import BackOfficeCase
from alerts.tests.factories import fire, make_route, make_source, matchers_of
from incidents.tests.factories import make_category, make_service
from intake.models import IntakeEvent

TRY = "admin:alerts_route_try"


class RouteCase(BackOfficeCase):
    def setUp(self) -> None:
        self.sign_in(self.admin)

    def form(self, **changes: object) -> dict[str, object]:
        return {
            "name": "Databases",
            "is_enabled": "on",
            "matchers": 'alertname=~"Pg.*"\nseverity != low',
            "team": self.team.pk,
            "service": "",
            "severity": "",
            "priority": "",
            "category": "",
            "group_by": "",
            "open_after_count": 1,
            "open_after_minutes": 5,
            **changes,
        }


class FormTests(RouteCase):
    def test_it_puts_a_new_route_last(self) -> None:
        make_route(position=7)

        self.client.post(reverse("admin:alerts_route_add"), self.form())

        route = Route.objects.get(name="Databases")
        self.assertEqual(route.matchers, matchers_of(("alertname", "=~", "Pg.*"), ("severity", "!=", "low")))
        self.assertEqual((route.position, route.group_by, route.team), (8, None, self.team))

    def test_it_says_which_matcher_cannot_be(self) -> None:
        cases = {"Line 2": "a=b\nnonsense", "not a regular expression": 'a=~"("'}

        for sentence, text in cases.items():
            with self.subTest(sentence):
                answer = self.client.post(reverse("admin:alerts_route_add"), self.form(matchers=text))

                self.assertContains(answer, sentence)
                self.assertFalse(Route.objects.exists())

    def test_it_waits_for_no_more_firings_than_are_written_down(self) -> None:
        answer = self.client.post(reverse("admin:alerts_route_add"), self.form(open_after_count=1001))

        self.assertContains(answer, "less than or equal to 1000")
        self.assertFalse(Route.objects.exists())


class ListTests(RouteCase):
    def test_it_saves_the_order(self) -> None:
        routes = [make_route(position=number) for number in range(3)]
        order = [2, 0, 1]
        data = {"form-TOTAL_FORMS": 3, "form-INITIAL_FORMS": 3, "_save": "Save"}
        for index, route in enumerate(routes):
            data |= {f"form-{index}-id": route.pk, f"form-{index}-position": order[index]}

        answer = self.client.post(self.list_of("route"), data)

        self.assertEqual(answer.status_code, 302)
        self.assertEqual(list(Route.objects.all()), [routes[1], routes[2], routes[0]])

    def test_it_lets_no_responder_change_the_order(self) -> None:
        route = make_route(position=3)
        self.sign_in(self.responder)
        data = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "_save": "1", "form-0-id": route.pk}

        shown = self.client.get(self.list_of("route"))
        answer = self.client.post(self.list_of("route"), {**data, "form-0-position": 0})

        route.refresh_from_db()
        self.assertContains(shown, "ir-fixed-order")
        self.assertEqual((answer.status_code, route.position), (403, 3))

    def test_it_tells_what_routes_do(self) -> None:
        make_route(name="Away", is_drop=True, matched_count=12, dropped_count=11)
        make_route(name="On", matchers=matchers_of(("a", "=", "<b>")), team=self.team, severity=4, go_on=True)
        make_route(name="Spoilt", matchers=[{"op": "?"}])

        answer = self.client.get(self.list_of("route"))

        for text in ("dropped", "a=&quot;&lt;b&gt;&quot;", "Database · continues", "matches nothing", ">12<", ">11<"):
            self.assertContains(answer, text)

    def test_it_costs_the_same_at_any_number(self) -> None:
        for user in (self.admin, self.responder):
            self.sign_in(user)
            Route.objects.all().delete()
            self._grow(10)
            few = len(self.queries(self.list_of("route")))
            self._grow(200)

            self.assertEqual(len(self.queries(self.list_of("route"))), few)

    def _grow(self, number: int) -> None:
        for _ in range(number - Route.objects.count()):
            make_route(team=self.team)


class TryTests(RouteCase):
    def test_it_explains_the_decision_on_an_alert(self) -> None:
        make_route(name="Networks", matchers=matchers_of(("host", "=", "net-1")))
        make_route(name="Databases", matchers=matchers_of(("host", "=~", "db-.*")), team=self.team)
        text = "title = Disk full\nseverity = HIGH\nhost = db-3\nquery = a=b"

        answer = self.client.post(reverse(TRY), {"shape": "labels", "text": text})

        found = answer.context["results"][0]
        self.assertEqual(found["alert"]["labels"], {"host": "db-3", "query": "a=b"})
        self.assertEqual((found["route"]["name"], found["result"]), ("Databases", "opens"))
        self.assertContains(answer, "host is &quot;db-3&quot;, and must be = &quot;net-1&quot;")
        self.assertFalse(Alert.objects.exists() or IntakeEvent.objects.exists())

    def test_it_reads_what_a_source_sends(self) -> None:
        source = make_source(kind="alertmanager", severity_map={"page": "critical"})
        text = '{"alerts": [{"status": "firing", "labels": {"alertname": "Down", "severity": "page"}}]}'

        answer = self.client.post(reverse(TRY), {"shape": "payload", "source": source.pk, "text": text})

        self.assertEqual(answer.context["results"][0]["alert"]["severity"], "critical")

    def test_it_tells_of_words_that_it_does_not_understand(self) -> None:
        source = make_source(severity_map={"blurb": "high"})
        text = "title = Disk full\nseverity = blurb"

        unknown = self.client.post(reverse(TRY), {"shape": "labels", "text": text})
        taught = self.client.post(reverse(TRY), {"shape": "labels", "text": text, "source": source.pk})

        self.assertContains(unknown, "Not understood: severity “blurb”.")
        self.assertNotContains(taught, "Not understood")

    def test_it_says_what_it_cannot_read(self) -> None:
        source = make_source(kind="alertmanager")
        cases = {
            "Choose the source": {"shape": "payload", "text": "{}"},
            "Line 1": {"shape": "labels", "text": "nonsense"},
            "no list of alerts": {"shape": "payload", "text": "{}", "source": source.pk},
            "not valid JSON": {"shape": "payload", "text": "{", "source": source.pk},
            "Enter a valid date": {"shape": "labels", "text": "a=b", "at_0": "x", "at_1": "y"},
        }

        for sentence, data in cases.items():
            with self.subTest(sentence):
                self.assertContains(self.client.post(reverse(TRY), data), sentence)

    def test_it_shows_the_team_the_category_and_the_services_of_what_it_would_open(self) -> None:
        service, category = make_service("mail"), make_category("network")
        make_route(service=service, category=category, team=self.team)

        answer = self.client.post(reverse(TRY), {"shape": "labels", "text": "host=db-3"})

        for link, value in (("Team", self.team.name), ("Category", category.name), ("Services", service.name)):
            with self.subTest(link):
                self.assertRegex(answer.content.decode(), rf"<th>{link}</th><td>(<a[^>]*>)?{value}")

    def test_it_shows_the_team_of_the_incident_that_an_alert_would_join(self) -> None:
        make_route(team=self.team, group_by=["host"])
        fire(make_source(name=""), "disk", labels={"host": "db-3"})

        answer = self.client.post(reverse(TRY), {"shape": "labels", "text": "host=db-3"})

        self.assertRegex(answer.content.decode(), rf"<th>Team</th><td><a[^>]*>{self.team.name}")

    def test_it_is_open_to_responders(self) -> None:
        self.sign_in(self.responder)

        self.assertContains(self.client.get(reverse(TRY)), "Nothing is stored")


class ReadingTests(RouteCase):
    def test_it_tells_responders_in_words(self) -> None:
        route = make_route(matchers=matchers_of(("host", "=~", "db-.*")), group_by=["cluster", "host"])
        self.sign_in(self.responder)

        answer = self.client.get(self.page(route))

        self.assertContains(answer, "host=~&quot;db-.*&quot;")
        self.assertContains(answer, "cluster, host")
        self.assertNotContains(answer, "&quot;op&quot;")

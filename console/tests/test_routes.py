import json

from django.test import TestCase
from django.urls import reverse

from alerts.models import Alert, Route
from alerts.tests.factories import make_route, make_silence, make_source, matchers_of
from incidents.tests.factories import make_category, make_service, make_team
from users.models import Role
from users.tests.factories import make_admin, make_responder, make_user

HOSTILE = "<script>alert(1)</script>\"'>"


def given(**changes):
    """The form as a browser sends it."""
    return {
        "name": "Databases",
        "is_enabled": "on",
        "matchers_name": ["host", "", ""],
        "matchers_op": ["=~", "=", "="],
        "matchers_value": ["db-.*", "", ""],
        "open_after_count": "1",
        "open_after_minutes": "5",
        **changes,
    }


class RouteTests(TestCase):
    def setUp(self):
        self.client.force_login(make_admin())

    def test_it_stores_every_field(self):
        team, service, category = make_team(), make_service("payments"), make_category("disk")
        fields = {
            **{"team": team.pk, "service": "payments", "category": "disk", "severity": "high", "priority": "p2"},
            **{"group_by": "cluster, host", "open_after_count": "3", "open_after_minutes": "10", "go_on": "on"},
        }

        response = self.client.post(reverse("console:route-new"), given(**fields))

        self.assertRedirects(response, reverse("console:routes"))
        route = Route.objects.get()
        self.assertEqual((route.team, route.service, route.category), (team, service, category))
        self.assertEqual((route.group_by, route.open_after_count, route.go_on), (["cluster", "host"], 3, True))
        self.assertEqual(route.matchers, matchers_of(("host", "=~", "db-.*")))

    def test_it_edits_and_unsets(self):
        route = make_route(severity=3, group_by=["a"], is_drop=False)

        response = self.client.post(reverse("console:route", args=[route.pk]), given(is_enabled=""))

        route.refresh_from_db()
        self.assertEqual(response.status_code, 302)
        self.assertEqual((route.severity, route.group_by, route.is_enabled), (None, None, False))

    def test_it_says_what_is_wrong(self):
        make_route(name="Taken")
        table = [
            ({"name": "taken"}, "name"),
            ({"matchers_value": ["[", "", ""]}, "matchers"),
            ({"matchers_name": [""], "drop": "on"}, "matchers"),
            ({"group_by": "a b{"}, "group_by"),
            ({"open_after_count": "0"}, "open_after_count"),
        ]
        for changes, field in table:
            with self.subTest(field=field, changes=changes):
                response = self.client.post(reverse("console:route-new"), given(**changes))

                self.assertEqual(response.status_code, 422)
                self.assertIn(field, response.context["form"].errors)

    def test_it_orders_by_buttons_and_by_dragging(self):
        first, second, third = (make_route() for _n in range(3))
        url, ids = reverse("console:route-order"), [first.pk, second.pk, third.pk]

        self.client.post(url, {"ids": ids, "up": third.pk})
        after_button = list(Route.objects.values_list("pk", flat=True))
        dragged = self.client.post(url, {"ids": [third.pk, second.pk, first.pk]}, headers={"HX-Request": "true"})

        self.assertEqual(after_button, [first.pk, third.pk, second.pk])
        self.assertEqual(dragged.status_code, 204)
        self.assertEqual(list(Route.objects.values_list("pk", flat=True)), [third.pk, second.pk, first.pk])
        self.assertEqual(self.client.post(url, {"ids": [first.pk]}).status_code, 400)

    def test_it_deletes(self):
        route = make_route()

        self.client.post(reverse("console:route-delete", args=[route.pk]))

        self.assertFalse(Route.objects.exists())

    def test_it_says_routes_as_sentences(self):
        make_route(name=HOSTILE[:90], team=make_team("Payments"), matchers=matchers_of(("host", "=", HOSTILE)))
        make_route(is_drop=True, matchers=matchers_of(("a", "=", "b")))

        response = self.client.get(reverse("console:routes"))

        self.assertContains(response, "Goes to team Payments.")
        self.assertContains(response, "Dropped: only counted.")
        self.assertNotContains(response, "<script>alert(1)")


class AccessTests(TestCase):
    def test_it_lets_responders_read_and_try_and_admins_write(self):
        route = make_route()
        reads = [reverse("console:routes"), reverse("console:route-simulator")]
        writes = [reverse("console:route-new"), reverse("console:route", args=[route.pk])]
        table = ((Role.REPORTER, 403, 403), (Role.RESPONDER, 200, 403), (Role.ADMIN, 200, 200))
        for role, reading, writing in table:
            self.client.force_login(make_user(role=role))
            for url in reads:
                self.assertEqual(self.client.get(url).status_code, reading, (role, url))
            for url in writes:
                self.assertEqual(self.client.get(url).status_code, writing, (role, url))
        self.client.force_login(make_responder())
        for name, args in (("route-order", []), ("route-delete", [route.pk])):
            self.assertEqual(self.client.post(reverse(f"console:{name}", args=args)).status_code, 403)
        self.assertNotContains(self.client.get(reverse("console:routes")), reverse("console:route-new"))


class SimulatorTests(TestCase):
    def setUp(self):
        self.client.force_login(make_responder())
        self.team = make_team("Database")
        self.url = reverse("console:route-simulator")

    def alert(self, **changes):
        return {
            "shape": "alert",
            "title": "Disk",
            "severity": "high",
            "labels_name": ["host", ""],
            "labels_value": ["db-3", ""],
            **changes,
        }

    def test_it_says_which_route_decides_and_why_earlier_ones_do_not(self):
        make_route(name="Web", matchers=matchers_of(("host", "=", "web-1")))
        make_route(name="Databases", matchers=matchers_of(("host", "=~", "db-.*")), team=self.team)

        response = self.client.post(self.url, self.alert())

        result = response.context["results"][0]
        self.assertEqual((result["route"]["name"], result["team"]), ("Databases", self.team))
        self.assertContains(response, "host is &quot;db-3&quot;, and must be = &quot;web-1&quot;.")
        self.assertFalse(Alert.objects.exists())

    def test_it_says_who_would_be_told(self):
        response = self.client.post(self.url, self.alert())

        self.assertTrue(response.context["results"][0]["added"])

    def test_it_reads_a_payload_as_its_source_does(self):
        source = make_source(kind="alertmanager")
        body = {"alerts": [{"status": "firing", "labels": {"alertname": "Disk", "host": "db-3"}}]}

        found = self.client.post(self.url, {"shape": "payload", "source": source.pk, "payload": json.dumps(body)})
        broken = self.client.post(self.url, {"shape": "payload", "source": source.pk, "payload": "no"})
        nobody = self.client.post(self.url, {"shape": "payload", "payload": "{}"})

        self.assertEqual(found.context["results"][0]["alert"]["labels"]["host"], "db-3")
        self.assertIn("payload", broken.context["form"].errors)
        self.assertIn("source", nobody.context["form"].errors)

    def test_it_shows_silences_and_escapes(self):
        make_silence(("host", "=", "db-3"), comment=HOSTILE)

        response = self.client.post(self.url, self.alert(title=HOSTILE))

        self.assertEqual(response.context["results"][0]["result"], "silenced")
        self.assertNotContains(response, "<script>alert(1)")

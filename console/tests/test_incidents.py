from django.test import TestCase
from django.urls import reverse

from alerts.models import Alert
from alerts.tests.factories import fire, make_source
from console.models import SavedView
from core.severity import Severity
from incidents.models import Incident
from incidents.services import resolve
from incidents.tests.factories import make_incident, make_service, make_team
from users.tests.factories import make_admin, make_reporter, make_responder

LIST = reverse("console:incidents")


class ListTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.responder, cls.other = make_responder(), make_responder()
        cls.team, _ = make_team("Storefront", cls.responder), make_team("Platform", cls.other)
        cls.reporter, cls.admin = make_reporter(), make_admin()
        cls.incident = make_incident(title="Checkout is down", by=cls.reporter, services=[make_service(team=cls.team)])

    def open(self, user, query="is_open=true"):
        self.client.force_login(user)
        return self.client.get(f"{LIST}?{query}")

    def test_it_puts_its_state_in_the_address(self):
        self.client.force_login(self.responder)

        response = self.client.get(LIST)

        self.assertRedirects(response, f"{LIST}?is_open=true&ordering=-severity")

    def test_it_hides_what_has_ended(self):
        resolve(self.incident, by=self.responder)

        self.assertNotContains(self.open(self.responder), "Checkout is down")
        self.assertContains(self.open(self.responder, "is_open=false"), "Checkout is down")

    def test_it_says_what_is_shown(self):
        self.assertContains(
            self.open(self.responder, "is_open=true&ordering=-severity"), "1 open incident, most severe"
        )
        self.assertContains(self.open(self.responder, "is_open=true&team=mine"), "1 open in my teams, newest first.")
        self.assertContains(self.open(self.other, "is_open=true&team=mine"), "0 open in my teams, newest first.")

    def test_it_shows_people_what_is_theirs(self):
        for user, is_seen in ((self.reporter, True), (make_reporter(), False), (self.other, True), (self.admin, True)):
            with self.subTest(user=user):
                self.assertEqual("Checkout is down" in self.open(user).content.decode(), is_seen)

    def test_it_begins_with_a_persons_own_view(self):
        self.client.force_login(self.responder)
        given = {"name": "Worst", "query": "severity=critical&cursor=xyz", "is_default": "on"}

        self.client.post(reverse("console:incidents-views"), given)

        self.assertRedirects(self.client.get(LIST), f"{LIST}?severity=critical")

    def test_it_refuses_views_of_unknown_filters(self):
        self.client.force_login(self.responder)

        response = self.client.post(reverse("console:incidents-views"), {"name": "Odd", "query": "colour=red"})

        self.assertContains(response, "colour", status_code=400)
        self.assertFalse(SavedView.objects.exists())

    def test_it_leaves_others_views_alone(self):
        view = SavedView.objects.create(user=self.admin, name="Mine", query="is_open=true")
        self.client.force_login(self.responder)

        response = self.client.post(reverse("console:incidents-view", args=[view.pk]), {"act": "delete"})

        self.assertEqual(response.status_code, 404)
        self.assertTrue(SavedView.objects.filter(pk=view.pk).exists())

    def test_it_acknowledges_a_row(self):
        self.client.force_login(self.responder)

        response = self.client.post(
            reverse("console:incidents-act"), {"acknowledge": self.incident.pk}, headers={"HX-Request": "true"}
        )

        self.assertContains(response, "Acknowledged")
        self.assertEqual(Incident.objects.get().status, "acknowledged")

    def test_it_lets_only_those_act_who_may(self):
        for user, status in ((self.reporter, 403), (self.other, 403), (make_reporter(), 403)):
            with self.subTest(user=user):
                self.client.force_login(user)
                response = self.client.post(reverse("console:incidents-act"), {"acknowledge": self.incident.pk})

                self.assertEqual(response.status_code, status)
        self.assertEqual(Incident.objects.get().status, "open")

    def test_it_changes_many_with_one_note(self):
        others = [make_incident(services=[self.incident.services.get()]) for _ in range(2)]
        self.client.force_login(self.responder)
        ids = [self.incident.pk, *(one.pk for one in others)]

        response = self.client.post(
            reverse("console:incidents-bulk"), {"ids": ids, "status": "resolved", "note": "Power is back."}, follow=True
        )

        self.assertContains(response, "3 incidents changed.")
        self.assertEqual(set(Incident.objects.values_list("status", flat=True)), {"resolved"})
        self.assertEqual(self.incident.events.filter(body="Power is back.").count(), 1)

    def test_it_changes_all_that_match(self):
        make_incident(title="Elsewhere", severity=Severity.LOW)
        self.client.force_login(self.admin)
        given = {"all": "on", "query": "severity=low", "severity": "high"}

        self.client.post(reverse("console:incidents-bulk"), given)

        self.assertEqual(Incident.objects.get(title="Elsewhere").severity, Severity.HIGH)
        self.assertEqual(Incident.objects.get(pk=self.incident.pk).severity, self.incident.severity)

    def test_it_says_what_was_refused(self):
        self.client.force_login(self.other)

        response = self.client.post(
            reverse("console:incidents-bulk"), {"ids": [self.incident.pk], "status": "resolved"}, follow=True
        )

        self.assertContains(response, "belongs to another team")

    def test_it_tells_which_of_some_match(self):
        self.client.force_login(self.responder)
        hidden = make_incident(is_restricted=True, by=self.admin)

        response = self.client.get(
            reverse("console:incidents-matching"), {"is_open": "true", "ids": f"{self.incident.pk},{hidden.pk},x"}
        )

        self.assertEqual(response.json(), {"ids": [self.incident.pk]})

    def test_it_goes_back_only_to_this_server(self):
        self.client.force_login(self.responder)
        given = {"acknowledge": self.incident.pk, "next": "https://evil.example/"}

        response = self.client.post(reverse("console:incidents-act"), given)

        self.assertEqual(response["Location"], LIST)

    def test_it_offers_acknowledging_only_to_those_who_may(self):
        for user, is_others in ((self.responder, False), (self.other, True), (self.admin, False)):
            with self.subTest(user=user.pk):
                self.client.force_login(user)
                response = self.client.get(f"{LIST}?is_open=true")

                self.assertEqual("is-others" in response.content.decode(), is_others)

    def test_it_costs_the_same_for_one_and_for_many(self):
        self.client.force_login(self.responder)
        self.client.get(f"{LIST}?is_open=true")
        for number in range(20):
            make_incident(title=f"Number {number}", services=[self.incident.services.get()])

        with self.assertNumQueries(16):
            self.client.get(f"{LIST}?is_open=true")

    def test_it_exports_what_is_shown(self):
        self.client.force_login(self.responder)

        response = self.client.get(reverse("console:incidents-export") + "?severity=low")

        self.assertNotIn("Checkout is down", b"".join(response.streaming_content).decode())

    def test_it_shows_the_columns_that_were_chosen(self):
        self.client.force_login(self.responder)

        self.client.post(
            reverse("console:incidents-columns"), {"columns": ["source", "status", "nonsense"], "density": "compact"}
        )

        response = self.client.get(f"{LIST}?is_open=true")
        self.assertContains(response, 'data-columns="status source"')
        self.assertContains(response, 'data-density="compact"')

    def test_it_offers_to_undo_a_bulk_change_once(self):
        self.client.force_login(self.responder)
        given = {"ids": [self.incident.pk], "severity": "critical", "next": f"{LIST}?is_open=true"}

        shown = self.client.post(reverse("console:incidents-bulk"), given, follow=True)
        token = shown.context["offered"]["token"]
        self.client.post(reverse("console:undo"), {"token": token})

        self.assertNotContains(self.client.get(f"{LIST}?is_open=true"), "data-undo")
        self.assertEqual(Incident.objects.get().severity, self.incident.severity)

    def test_it_warns_where_alerts_still_fire(self):
        alert = fire(make_source(), "disk")
        Alert.objects.filter(pk=alert.pk).update(incident=self.incident)
        self.client.force_login(self.responder)

        shown = self.client.post(
            reverse("console:incidents-bulk"), {"ids": [self.incident.pk], "status": "resolved"}, follow=True
        )

        self.assertContains(shown, f"Alerts still fire for {self.incident.reference}.")

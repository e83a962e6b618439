import datetime as dt

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert
from alerts.tests.factories import fire, make_route, make_silence, make_source, resolve
from incidents.services.editing import update
from incidents.tests.factories import make_incident, make_team
from intake.models import Source
from users.models import Role
from users.tests.factories import make_admin, make_reporter, make_responder, make_user

LIST = "console:alerts"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e"


class ListTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.source = make_source(name="Prometheus")
        cls.firing = fire(cls.source, "disk", title="Disk is full", labels={"host": "db-3"}, severity="high")
        fire(cls.source, "cpu", title="CPU is hot", labels={"host": "web-1"}, severity="low")
        cls.over = resolve(cls.source, "cpu", title="CPU is hot")

    def setUp(self):
        self.client.force_login(make_responder())

    def shown(self, query=""):
        response = self.client.get(reverse(LIST) + query)
        self.assertEqual(response.status_code, 200, response.content[:500])
        return [alert.pk for alert in response.context["alerts"]]

    def test_it_begins_with_what_fires(self):
        self.assertEqual(self.shown(), [self.firing.pk])

    def test_it_filters_as_the_api_does(self):
        table = {
            "?status=resolved": [self.over.pk],
            "?status=firing,resolved": [self.over.pk, self.firing.pk],
            "?status=firing,resolved&severity=low": [self.over.pk],
            "?label.host=db-3": [self.firing.pk],
            "?label.host=nowhere": [],
            f"?source={self.source.pk}": [self.firing.pk],
            "?is_flapping=true": [],
            "?q=disk": [self.firing.pk],
        }
        for query, expected in table.items():
            with self.subTest(query=query):
                self.assertEqual(self.shown(query), expected)

    def test_it_refuses_what_the_api_refuses(self):
        for query in ("?nonsense=1", "?severity=awful", "?label.=x", "?cursor=%%%"):
            with self.subTest(query=query):
                self.assertEqual(self.client.get(reverse(LIST) + query).status_code, 400)

    def test_it_tidies_what_the_filter_bar_sends(self):
        response = self.client.get(reverse(LIST) + "?q=&severity=&label=host%3Ddb-3&status=firing", follow=True)

        self.assertEqual(response.redirect_chain[-1][0], f"{reverse(LIST)}?status=firing&label.host=db-3")
        self.assertEqual([alert.pk for alert in response.context["alerts"]], [self.firing.pk])

    def test_it_says_how_many_are_new(self):
        url = reverse("console:alerts-new")

        nothing = self.client.get(f"{url}?status=firing&after={self.firing.pk}")
        fire(self.source, "net")
        one = self.client.get(f"{url}?status=firing&after={self.firing.pk}")

        self.assertNotContains(nothing, "new: show")
        self.assertContains(one, "1 new: show")

    def test_it_asks_the_same_number_of_questions_whatever_it_shows(self):
        few = self.asked()
        for number in range(10):
            fire(make_source(), f"more {number}")

        self.assertEqual(self.asked(), few)
        self.assertLessEqual(few, 12)

    def asked(self):
        with CaptureQueriesContext(connection) as queries:
            self.client.get(reverse(LIST))
        return len(queries)

    def test_it_escapes_what_senders_say(self):
        Source.objects.filter(pk=self.source.pk).update(name=HOSTILE[:90])
        alert = fire(self.source, "x", title=HOSTILE, labels={"a": HOSTILE}, annotations={"b": HOSTILE})

        pages = [reverse(LIST), reverse("console:alert", args=[alert.pk])]

        for page in pages:
            response = self.client.get(page)
            self.assertEqual(response.status_code, 200)
            self.assertNotContains(response, "<script>alert(1)")
            self.assertNotContains(response, "<img src=x")

    def test_it_shows_no_address_that_runs_a_script(self):
        alert = fire(self.source, "y", links=[{"href": "javascript:alert(1)", "text": "Runbook"}])

        self.assertNotContains(self.client.get(reverse("console:alert", args=[alert.pk])), "javascript:")


class AccessTests(TestCase):
    def setUp(self):
        self.team = make_team("Database")
        self.source = make_source(team=self.team)
        self.alert = fire(self.source, "disk")

    def test_it_shows_reporters_the_alerts_of_what_they_follow(self):
        self.client.force_login(make_reporter())

        self.assertEqual(self.client.get(reverse("console:alert", args=[self.alert.pk])).status_code, 404)
        self.assertEqual(list(self.client.get(reverse(LIST)).context["alerts"]), [])

    def test_it_hides_restricted_incidents_alerts(self):
        update(self.alert.incident, by=make_admin(), fields={"is_restricted": True})
        for role, status in ((Role.RESPONDER, 404), (Role.ADMIN, 200)):
            self.client.force_login(make_user(role=role))

            self.assertEqual(self.client.get(reverse("console:alert", args=[self.alert.pk])).status_code, status)

    def test_it_moves_an_alert_for_those_who_work_on_both(self):
        target = make_incident(by=make_admin(), title="Bigger", team=self.team)
        member = make_responder()
        make_team("Database", member)
        url = reverse("console:alert-move", args=[self.alert.pk])

        self.client.force_login(make_responder())
        refused = self.client.post(url, {"move-incident": target.reference})
        self.client.force_login(member)
        done = self.client.post(url, {"move-incident": target.reference})
        missing = self.client.post(url, {"move-incident": "INC-999999"})

        self.alert.refresh_from_db()
        self.assertEqual((refused.status_code, done.status_code, missing.status_code), (422, 302, 422))
        self.assertEqual(self.alert.incident_id, target.pk)

    def test_it_splits_an_alert_off(self):
        self.client.force_login(make_admin())
        before = self.alert.incident_id

        response = self.client.post(reverse("console:alert-split", args=[self.alert.pk]), {"split-title": "Alone"})

        self.alert.refresh_from_db()
        self.assertEqual(response.status_code, 302)
        self.assertNotEqual(self.alert.incident_id, before)
        self.assertEqual(self.alert.incident.title, "Alone")

    def test_it_changes_nothing_by_get(self):
        self.client.force_login(make_admin())

        for name in ("alert-move", "alert-split"):
            self.assertEqual(self.client.get(reverse(f"console:{name}", args=[self.alert.pk])).status_code, 405)

    def test_it_says_what_a_silenced_or_waiting_alert_waits_for(self):
        self.client.force_login(make_responder())
        silence = make_silence(("host", "=", "quiet"))
        quiet = fire(self.source, "quiet", labels={"host": "quiet"})
        make_route(matchers=[{"name": "host", "op": "=", "value": "slow"}], open_after_count=3)
        slow = fire(self.source, "slow", labels={"host": "slow"})

        self.assertContains(self.client.get(reverse("console:alert", args=[quiet.pk])), f"/silences/{silence.pk}/")
        self.assertContains(self.client.get(reverse("console:alert", args=[slow.pk])), "1 of 3")

    def test_it_pages_by_key(self):
        self.client.force_login(make_responder())
        for number in range(3):
            fire(self.source, f"n{number}", at=timezone.now() - dt.timedelta(minutes=3 - number))

        first = self.client.get(reverse(LIST) + "?page_size=2")
        second = self.client.get(first.context["pages"]["next"])

        shown = [alert.pk for page in (first, second) for alert in page.context["alerts"]]
        self.assertEqual(shown, list(Alert.objects.order_by("-id").values_list("pk", flat=True)))

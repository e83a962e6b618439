from typing import Any
from unittest.mock import patch

from django.test import Client
from django.urls import reverse

from alerts.models import Alert, AlertGroup, Route
from alerts.tests.back_office import BackOfficeCase
from alerts.tests.factories import fire, make_route, make_silence, make_source, resolve
from incidents import services
from incidents.models import Incident, Status


class AlertCase(BackOfficeCase):
    def setUp(self) -> None:
        self.source = make_source(name="Prometheus", team=self.team)
        self.sign_in(self.responder)

    def titles(self, query: str) -> set[str]:
        return {alert.title for alert in self.listed("alert", query)}


class ListTests(AlertCase):
    def test_it_filters_and_searches(self) -> None:
        other = make_source(name="Other")
        make_silence(("quiet", "=", "yes"))
        disk = fire(self.source, "disk", title="Disk full", severity="critical", labels={"host": "db-3", "a": "b"})
        fire(other, "cpu", title="CPU busy", labels={"host": "db-3", "quiet": "yes"})
        fire(self.source, "net", title="Net down")
        resolve(self.source, "net", title="Net down")
        cases = {
            "?status=firing": {"Disk full", "CPU busy"},
            "?status=resolved": {"Net down"},
            "?severity=critical": {"Disk full"},
            f"?source={other.pk}": {"CPU busy"},
            "?source=x": set(),
            "?marked=silenced": {"CPU busy"},
            "?marked=alone": {"CPU busy"},
            "?marked=flapping": set(),
            "?seen=hour": {"Disk full", "CPU busy", "Net down"},
            "?q=host=db-3": {"Disk full", "CPU busy"},
            "?q=host=db-3+a=b": {"Disk full"},
            '?q=host="db-3"+disk': {"Disk full"},
            "?q=host=db": set(),
            f"?q=inc-{disk.incident_id}": {"Disk full"},
            "?q=down": set(),
            "?q=busy": {"CPU busy"},
        }

        for query, expected in cases.items():
            with self.subTest(query):
                self.assertEqual(self.titles(query), expected)

    def test_it_pages_by_key(self) -> None:
        for number in range(5):
            fire(self.source, f"{number}")
        seen, query = [], "?"

        with patch("alerts.admin.alerts.AlertAdmin.list_per_page", 2):
            while query:
                changes = self.client.get(self.list_of("alert") + query).context["cl"]
                seen.append(len(changes.result_list))
                query = changes.next_url

        self.assertEqual(seen, [2, 2, 1])

    def test_it_costs_the_same_at_any_number(self) -> None:
        urls = [self.list_of("alert"), f"{self.list_of('alert')}?status=firing&q=host=a", reverse("admin:index")]
        self._grow(10)
        few = [len(self.queries(url)) for url in urls]
        self._grow(200)

        many = [self.queries(url) for url in urls]

        self.assertEqual([len(queries) for queries in many], few)
        self.assertFalse([sql for queries in many for sql in queries if "OFFSET" in sql])

    def _grow(self, number: int) -> None:
        for index in range(Alert.objects.count(), number):
            fire(self.source, str(index), labels={"host": "a"})

    def test_it_hides_alerts_of_incidents_that_are_hidden(self) -> None:
        alert = fire(self.source, title="Secret")
        services.update(Incident.objects.get(), by=self.admin, fields={"is_restricted": True})
        self.sign_in(self.outsider)

        opened = self.client.get(self.page(alert), follow=True)

        self.assertEqual(self.titles(""), set())
        self.assertNotContains(opened, "Secret")
        self.assertEqual(self.client.get(self.page(alert, "move")).status_code, 404)


class PageTests(AlertCase):
    def test_it_shows_what_is_known(self) -> None:
        alert = fire(
            self.source,
            labels={"host": "db-3", "x": "<b>bold</b>"},
            annotations={"runbook": "Call <i>Bob</i>"},
            links=(
                {"href": "https://wiki.example/x", "text": "Runbook"},
                {"href": "javascript:alert(1)", "text": "Bad"},
            ),
        )

        answer = self.client.get(self.page(alert))

        self.assertContains(answer, f"?q={'host%3Ddb-3'}")
        self.assertContains(answer, "&lt;b&gt;bold")
        self.assertContains(answer, 'href="https://wiki.example/x" rel="noopener noreferrer nofollow"')
        self.assertContains(answer, alert.incident.reference)
        self.assertNotContains(answer, "javascript:alert")
        self.assertNotContains(answer, "<i>Bob")

    def test_it_says_what_an_alert_without_incident_waits_for(self) -> None:
        route = make_route(open_after_count=3, open_after_minutes=10)
        first, second = fire(self.source, "disk"), fire(self.source, "net")
        over = fire(self.source, "over")
        resolve(self.source, "over")
        sentence = f"waiting: 1 of 3 firings within 10 minutes (route {route.name})"

        for alert in (first, second):
            self.assertContains(self.client.get(self.page(alert)), f"no incident, {sentence}")
        self.assertNotContains(self.client.get(self.page(over)), "waiting:")
        self.assertContains(self.client.get(self.list_of("route")), "after 3 in 10 min")

    def test_it_counts_what_fired_of_a_group_lately(self) -> None:
        make_route(open_after_count=3, open_after_minutes=1, group_by=["host"])
        alerts = [fire(self.source, name, labels={"host": "db"}) for name in ("disk", "load")]
        group = AlertGroup.objects.get()

        self.assertContains(self.client.get(self.page(alerts[0])), "waiting: 2 of 3 firings within 1 minute (")
        group.pending[0][1] -= 90
        group.save()
        self.assertContains(self.client.get(self.page(alerts[0])), "waiting: 1 of 3")
        Route.objects.update(is_enabled=False)
        self.assertNotContains(self.client.get(self.page(alerts[0])), "waiting:")

    def test_it_tells_what_its_status_changed_to(self) -> None:
        fire(self.source, "disk")
        resolve(self.source, "disk")
        alert = fire(self.source, "disk")

        answer = self.client.get(self.page(alert))

        changes = answer.context["changes"]
        self.assertContains(answer, f"{alert.expires_at:%H:%M:%S} UTC, unless seen again")
        self.assertEqual([status for _, status in changes], ["Firing", "Resolved", "Firing"])
        self.assertRegex(changes[0][0], r", [0-9]{2}:[0-9]{2}:[0-9]{2} UTC$")

    def test_it_offers_a_silence_for_alerts_like_it(self) -> None:
        alert = fire(self.source, severity="high", labels={"host": "db-3", "severity": "high"})
        url = f"{reverse('admin:alerts_silence_add')}?alert={alert.pk}"

        page, form = self.client.get(self.page(alert)), self.client.get(url)

        self.assertContains(page, url)
        self.assertEqual(form.context["adminform"].form["matchers"].value(), 'host="db-3"\nsource="Prometheus"')

    def test_it_offers_no_silence_of_a_whole_source_unawares(self) -> None:
        plain, named = fire(self.source, "plain"), fire(self.source, "named", labels={"source": "srv01"})
        url = reverse("admin:alerts_silence_add")

        warned, told = self.client.get(f"{url}?alert={plain.pk}"), self.client.get(f"{url}?alert={named.pk}")

        self.assertContains(warned, "this silences all alerts from Prometheus")
        self.assertNotContains(told, "this silences all alerts")
        matchers = told.context["adminform"].form["matchers"].value()
        self.assertEqual(matchers, 'label.source="srv01"\nsource="Prometheus"')


class ReassignTests(AlertCase):
    def test_it_moves_an_alert_to_another_incident(self) -> None:
        one, other = fire(self.source, "one"), fire(self.source, "other")

        self.client.post(self.page(one, "move"), {"apply": "1", "incident": other.incident.reference})

        one.refresh_from_db()
        self.assertEqual(one.incident, other.incident)
        self.assertEqual(other.incident.events.order_by("-seq")[0].origin, "admin")

    def test_it_says_what_forbids_it(self) -> None:
        one = fire(self.source, "one")
        over = fire(self.source, "over")
        services.resolve(over.incident, by=self.responder)
        cases = {"INC-999999": "INC-999999", over.incident.reference: "reopen it first", "": "required"}

        for reference, sentence in cases.items():
            with self.subTest(reference):
                answer = self.client.post(self.page(one, "move"), {"apply": "1", "incident": reference})

                self.assertContains(answer, sentence)

    def test_it_splits_what_was_ticked(self) -> None:
        self.source.group_by = ["cluster"]
        self.source.save()
        one, other = (fire(self.source, name, labels={"cluster": "eu"}) for name in ("one", "other"))
        ticked = {"action": "split_selected", "_selected_action": [other.pk]}

        asked = self.client.post(self.list_of("alert"), ticked)
        self.client.post(self.list_of("alert"), {**ticked, "apply": "1", "title": "Its own"})

        other.refresh_from_db()
        self.assertContains(asked, "Split off 1 alert")
        self.assertEqual(other.incident.title, "Its own")
        self.assertNotEqual(other.incident, one.incident)

    def test_it_moves_what_was_ticked(self) -> None:
        one, two, target = (fire(self.source, name) for name in ("one", "two", "target"))
        ticked = {"action": "move_selected", "_selected_action": [one.pk, two.pk]}

        answer = self.client.post(
            self.list_of("alert"), {**ticked, "apply": "1", "incident": target.incident.reference}
        )

        self.assertEqual(set(Alert.objects.values_list("incident", flat=True)), {target.incident_id})
        self.assertIn("2 alerts moved", self.messages(answer))

    def test_it_merges_an_incident_into_another(self) -> None:
        one, target = fire(self.source, "one"), fire(self.source, "target")
        merged = one.incident_id
        page = reverse("admin:incidents_incident_change", args=[merged])
        url = reverse("admin:alerts_alert_merge", args=[merged])

        shown, asked = self.client.get(page), self.client.get(url)
        wrong = self.client.post(url, {"apply": "1", "incident": one.incident.reference})
        answer = {"apply": "1", "incident": target.incident.reference}
        chosen = self.client.post(url, answer)
        one.refresh_from_db()
        was = one.incident_id
        done = self.client.post(url, {**answer, "confirmed": target.incident_id}, follow=True)

        self.assertContains(shown, url)
        self.assertContains(chosen, f"into {target.incident} · open · ")
        self.assertContains(chosen, f'name="confirmed" value="{target.incident_id}"')
        self.assertContains(chosen, f'href="{page}"')
        self.assertEqual(was, merged)
        self.assertContains(asked, f"Merge {one.incident.reference}")
        self.assertContains(wrong, "cannot be merged into itself")
        self.assertContains(done, f"{one.incident.reference} is merged into {target.incident}")
        one.refresh_from_db()
        self.assertEqual(one.incident, target.incident)
        self.assertEqual(Incident.objects.get(pk=merged).status, Status.RESOLVED)

    def test_it_shows_another_one_before_it_merges(self) -> None:
        one, shown, other = (fire(self.source, name) for name in ("one", "shown", "other"))

        answer = self.merge(one, other.incident.reference, confirmed=shown.incident_id)

        self.assertContains(answer, f"into {other.incident}")
        self.assertContains(answer, f'name="confirmed" value="{other.incident_id}"')
        self.assert_at(one, one.incident)

    def test_it_merges_into_nothing_that_is_hidden_or_gone(self) -> None:
        one, secret, gone = (fire(self.source, name) for name in ("one", "secret", "gone"))
        services.update(secret.incident, by=self.admin, fields={"is_restricted": True})
        services.assign_team(secret.incident, self.other_team, by=self.admin)
        services.delete(gone.incident, by=self.admin)

        for reference in (secret.incident.reference, gone.incident.reference, f"INC-{'9' * 18}", "9" * 30):
            with self.subTest(reference):
                self.assertContains(
                    self.merge(one, reference, confirmed=reference[4:]), "or you do not have access to it"
                )
        self.assert_at(one, one.incident)

    def test_it_says_what_one_is_a_duplicate_of_already(self) -> None:
        one, twin, third = (fire(self.source, name) for name in ("one", "twin", "third"))
        services.link(one.incident, twin.incident, "duplicate_of", by=self.admin)

        answer = self.merge(one, third.incident.reference, confirmed=third.incident_id)

        self.assertContains(answer, f"is a duplicate of {twin.incident.reference} already")
        self.assert_at(one, one.incident)

    def test_it_has_no_page_to_merge_what_is_hidden_or_gone(self) -> None:
        secret, gone, target = (fire(self.source, name) for name in ("secret", "gone", "target"))
        services.update(secret.incident, by=self.admin, fields={"is_restricted": True})
        services.assign_team(secret.incident, self.other_team, by=self.admin)
        services.delete(gone.incident, by=self.admin)

        for incident_id in (secret.incident_id, gone.incident_id, 10**9, 10**30):
            with self.subTest(incident_id):
                url = reverse("admin:alerts_alert_merge", args=[incident_id])
                answer = {"apply": "1", "incident": target.incident.reference, "confirmed": target.incident_id}

                self.assertEqual(self.client.get(url).status_code, 404)
                self.assertEqual(self.client.post(url, answer).status_code, 404)

    def test_it_merges_for_nobody_from_elsewhere(self) -> None:
        one, target = fire(self.source, "one"), fire(self.source, "target")
        self.client = Client(enforce_csrf_checks=True)
        self.sign_in(self.responder)

        answer = self.merge(one, target.incident.reference, confirmed=target.incident_id)

        self.assertEqual(answer.status_code, 403)
        self.assert_at(one, one.incident)

    def merge(self, alert: Alert, reference: str, **more: object) -> Any:
        url = reverse("admin:alerts_alert_merge", args=[alert.incident_id])
        return self.client.post(url, {"apply": "1", "incident": reference, **more})

    def assert_at(self, alert: Alert, incident: Incident) -> None:
        self.assertEqual(Alert.objects.get(pk=alert.pk).incident, incident)

    def test_it_merges_nothing_for_who_may_not(self) -> None:
        one, target = fire(self.source, "one"), fire(self.source, "target")
        url = reverse("admin:alerts_alert_merge", args=[one.incident_id])
        answers = {}
        for person in (self.outsider, self.reporter):
            self.sign_in(person)
            page = self.client.get(reverse("admin:incidents_incident_change", args=[one.incident_id]))
            answers[person] = self.merge(one, target.incident.reference, confirmed=target.incident_id)

            self.assertNotContains(page, url, status_code=page.status_code)

        self.assertContains(answers[self.outsider], "belongs to another team")
        self.assertIn(answers[self.reporter].status_code, (302, 403))
        one.refresh_from_db()
        self.assertNotEqual(one.incident_id, target.incident_id)

    def test_it_refuses_who_works_elsewhere(self) -> None:
        one, other = fire(self.source, "one"), fire(self.source, "other")
        self.sign_in(self.outsider)

        answer = self.client.post(self.page(one, "move"), {"apply": "1", "incident": other.incident.reference})

        one.refresh_from_db()
        self.assertEqual(answer.status_code, 200)
        self.assertNotEqual(one.incident, other.incident)

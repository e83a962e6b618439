import datetime as dt
from unittest import mock

from django.apps import apps
from django.db import connection
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers

from alerts.models import Alert, AlertGroup
from alerts.serializers.simulation import SimulatedAlertResultSerializer
from alerts.services.simulating import Contributor
from alerts.tests.factories import fire, make_route, make_silence, make_source, matchers_of, resolve
from incidents.models import Incident
from incidents.tests.factories import make_category, make_service, make_team
from intake.vocabulary import LOGS
from tests.hostile import VALUES
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

SIMULATE = "/api/v1/routes/simulate/"


def rows():
    """The rows of every table, and what a sequence would give next."""
    return {model: model._base_manager.count() for model in apps.get_models()}


def state():
    """What alerts, groups and incidents are."""
    return [list(model.objects.order_by("pk").values()) for model in (Alert, AlertGroup, Incident)]


class SimulationCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.member, cls.admin = make_responder(name="Mia"), make_admin()
        cls.team = make_team("Database", cls.member, make_responder(is_active=False))
        cls.source = make_source(group_by=["cluster"], team=cls.team)

    def simulate(self, body=None, *, by=None, **alert):
        """The result of one alert, and that nothing was stored."""
        asked = body or {"source": self.source.pk, "alert": alert}
        before = rows(), state()
        answer = client_of(by or self.admin).post(SIMULATE, asked)
        self.assertEqual((rows(), state()), before)
        self.assertEqual(answer.status_code, 200, answer.content)
        results = answer.json()["alerts"]
        return results[0] if len(results) == 1 else results

    def assert_refused(self, field, body):
        answer = client_of(self.admin).post(SIMULATE, body)

        self.assertEqual(answer.status_code, 400, answer.content)
        self.assertEqual(answer.json()["errors"][0]["field"].split(".")[0], field)


class ResultTests(SimulationCase):
    def test_it_opens_an_incident(self):
        found = self.simulate(title="Disk full", severity="high", labels={"cluster": "eu"})

        self.assertEqual(found["notified"], [])
        self.assertEqual(set(found), set(SimulatedAlertResultSerializer().fields))
        self.assertEqual((found["result"], found["outcome"], found["route"]), ("opens", "new", None))
        self.assertEqual(found["group_by"], {"cluster": "eu"})
        self.assertEqual(found["opening"]["title"], "Disk full")
        self.assertEqual((found["opening"]["severity"], found["opening"]["team"]), ("high", self.team.pk))
        self.assertIsNone(found["incident"])

    def test_it_joins_an_open_one(self):
        there = fire(self.source, "a", labels={"cluster": "eu"}).incident

        found = self.simulate(fingerprint="b", severity="critical", labels={"cluster": "eu"})

        self.assertEqual((found["result"], found["incident"]["id"]), ("joins", there.pk))
        self.assertEqual(found["incident"]["reference"], there.reference)
        self.assertEqual(found["notified"], [])  # who was paged for it stays paged
        self.assertIsNone(found["opening"])

    def test_it_reopens_one_that_ended_lately(self):
        there = fire(self.source, "a", labels={"cluster": "eu"}).incident
        resolve(self.source, "a", labels={"cluster": "eu"})

        found = self.simulate(fingerprint="b", labels={"cluster": "eu"})

        self.assertEqual((found["result"], found["incident"]["id"]), ("reopens", there.pk))
        self.assertEqual(found["incident"]["status"], "resolved")

    def test_it_opens_another_when_that_was_long_ago(self):
        fire(self.source, "a", labels={"cluster": "eu"})
        resolve(self.source, "a", labels={"cluster": "eu"})
        later = (timezone.now() + dt.timedelta(days=3)).isoformat()
        alert = {"fingerprint": "b", "labels": {"cluster": "eu"}}

        found = self.simulate({"source": self.source.pk, "alert": alert, "at": later})

        self.assertEqual(found["result"], "opens")

    def test_it_stays_where_it_is(self):
        there = fire(self.source, "a").incident

        found = self.simulate(title="a is broken", fingerprint="a")

        self.assertEqual((found["result"], found["outcome"]), ("stays", "repeated"))
        self.assertEqual((found["incident"]["id"], found["notified"]), (there.pk, []))

    def test_it_waits_for_more(self):
        make_route(open_after_count=3, open_after_minutes=10)
        results = []
        for name in "abc":
            results.append(self.simulate(fingerprint=name, labels={"cluster": "eu"})["result"])
            fire(self.source, name, labels={"cluster": "eu"})

        self.assertEqual(results, ["waits", "waits", "opens"])

    @override_settings(STORM_INCIDENTS_PER_MINUTE=2)
    def test_it_is_taken_in_by_a_storm(self):
        results = []
        for name in "abcd":
            results.append(self.simulate(fingerprint=name, labels={"cluster": name})["result"])
            fire(self.source, name, labels={"cluster": name})

        self.assertEqual(results, ["opens", "opens", "storm", "joins"])

    def test_it_is_silenced(self):
        silence = make_silence(("cluster", "=", "eu"), comment="New disks")
        table = {timezone.now(): "silenced", timezone.now() + dt.timedelta(hours=2): "opens"}
        for at, result in table.items():
            with self.subTest(result):
                alert = {"labels": {"cluster": "eu"}}

                found = self.simulate({"source": self.source.pk, "alert": alert, "at": at.isoformat()})

                self.assertEqual(found["result"], result)
                self.assertEqual(
                    found["silence"] and found["silence"]["id"], silence.pk if result == "silenced" else None
                )

    def test_it_is_dropped(self):
        route = make_route(is_drop=True)

        found = self.simulate(title="x")

        self.assertEqual((found["result"], found["outcome"]), ("dropped", None))
        self.assertEqual(found["route"], {"id": route.pk, "name": route.name})
        self.assertEqual((found["incident"], found["opening"]), (None, None))

    def test_it_says_why_each_earlier_route_did_not_match(self):
        one = make_route(matchers=matchers_of(("cluster", "=", "us")))
        two = make_route(matchers=matchers_of(("cluster", "=~", "e.*"), ("severity", "=", "low")))
        make_route(matchers=matchers_of(("cluster", "=", "eu")), is_enabled=False)
        team, service, category = make_team("Network"), make_service("payments"), make_category("net")
        right = make_route(
            matchers=matchers_of(("cluster", "!=", "us")),
            **{"team": team, "severity": 4, "priority": 3, "category": category, "service": service},
            group_by=["host"],
        )
        make_route(name="Never asked")

        found = self.simulate(severity="high", labels={"cluster": "eu", "host": "db-3"})

        self.assertEqual(found["route"]["id"], right.pk)
        self.assertEqual([passed["id"] for passed in found["passed"]], [one.pk, two.pk])
        self.assertEqual(found["passed"][0]["reason"], 'cluster is "eu", and must be = "us".')
        self.assertEqual(found["passed"][1]["reason"], 'severity is "high", and must be = "low".')
        self.assertEqual(found["group_by"], {"host": "db-3"})
        opening = found["opening"]
        self.assertEqual([opening[name] for name in ("severity", "priority", "team")], ["critical", "p2", team.pk])
        self.assertEqual((opening["category"], opening["services"]), ("net", ["payments"]))

    def test_it_needs_no_source(self):
        found = self.simulate({"alert": {"title": "x", "labels": {"host": "db-3"}}})

        self.assertEqual((found["result"], found["group_by"], found["notified"]), ("opens", {}, []))


class ContributorTests(SimulationCase):
    """Another app tells what it would do: paging, who is paged."""

    def setUp(self):
        contributor = Contributor(
            name="paged",
            title="Paged",
            contribute=lambda simulated: [simulated.team.name, simulated.result.value] if simulated.team else [],
            field=lambda: serializers.ListField(child=serializers.CharField()),
            lines=lambda paged: [" ".join(paged)],
        )
        self.enterContext(mock.patch("alerts.services.simulating.contributors", [contributor]))
        self.enterContext(mock.patch("alerts.serializers.simulation.contributors", [contributor]))
        self.enterContext(mock.patch("alerts.admin.trying.contributors", [contributor]))

    def test_it_adds_what_other_apps_would_do(self):
        found = self.simulate(title="Disk full", labels={"cluster": "eu"})

        self.assertEqual(found["paged"], ["Database", "opens"])
        self.assertEqual(set(found), set(SimulatedAlertResultSerializer().fields))

    def test_it_shows_that_on_the_page(self):
        self.client.force_login(self.admin)

        page = self.client.post(
            reverse("admin:alerts_route_try"), {"shape": "labels", "text": "cluster = eu", "source": self.source.pk}
        )

        self.assertContains(page, "<th>Paged</th><td>Database opens</td>")


class PayloadTests(SimulationCase):
    def test_it_reads_what_a_source_would_be_sent(self):
        source = make_source(kind="alertmanager", group_by=["alertname"])
        fired = {"status": "firing", "labels": {"alertname": "Disk"}, "startsAt": "2026-11-21T10:00:00Z"}
        ended = {**fired, "status": "resolved", "labels": {"alertname": "Load"}, "endsAt": "2026-11-21T11:00:00Z"}
        payload = {"version": "4", "status": "firing", "alerts": [fired, ended]}

        found = self.simulate({"source": source.pk, "payload": payload})

        self.assertEqual([one["alert"]["action"] for one in found], ["fire", "resolve"])
        self.assertEqual([one["result"] for one in found], ["opens", "nothing"])

    def test_it_ends_an_alert(self):
        there = fire(self.source, "disk").incident

        found = self.simulate({"source": self.source.pk, "payload": {"title": "x", "key": "disk", "status": "ok"}})

        self.assertEqual((found["result"], found["incident"]["id"], found["notified"]), ("resolved", there.pk, []))

    def test_it_takes_a_text_as_it_is(self):
        body = {"source": self.source.pk, "payload": "title=Disk+full&severity=high"}

        found = self.simulate({**body, "headers": {"Content-Type": "application/x-www-form-urlencoded"}})

        self.assertEqual((found["alert"]["title"], found["alert"]["severity"]), ("Disk full", "high"))

    def test_it_says_why_it_cannot_be_read(self):
        source = self.source.pk
        self.assert_refused("payload", {"source": source, "payload": "<a>"})
        self.assert_refused("payload", {"source": source, "payload": {}})
        self.assert_refused("payload", {"source": source, "payload": [{"title": "x"}] * 51})
        self.assert_refused("payload", {"source": make_source(kind=LOGS).pk, "payload": {"a": 1}})

    def test_it_refuses_what_is_not_clear(self):
        source = self.source.pk
        table = [
            ({}, "alert"),
            ({"source": source}, "alert"),
            ({"source": source, "alert": {}, "payload": {}}, "alert"),
            ({"payload": {"title": "x"}}, "source"),
            ({"alert": {}, "headers": {"a": "b"}}, "headers"),
            ({"alert": {"labels": {"a": {"b": 1}}}}, "alert"),
            ({"alert": {"labels": [1]}}, "alert"),
            ({"alert": {"severity": "awful"}}, "alert"),
            ({"alert": {"colour": "red"}}, "alert"),
            ({"alert": {}, "at": "yesterday"}, "at"),
            ({"alert": {}, "at": "0001-01-01T00:00:00Z"}, "at"),
            ({"alert": {}, "at": "9999-12-31T23:59:59Z"}, "at"),
            ({"alert": {}, "source": 10**9}, "source"),
        ]
        for body, field in table:
            with self.subTest(body=body):
                before = rows()

                self.assert_refused(field, body)
                self.assertEqual(rows(), before)

    def test_it_survives_any_payload(self):
        for kind in ("generic", "alertmanager", "pagerduty", "grafana"):
            source = make_source(kind=kind)
            for value in VALUES:
                with self.subTest(kind=kind, value=str(value)[:40]):
                    answer = client_of(self.admin).post(SIMULATE, {"source": source.pk, "payload": value})

                    self.assertIn(answer.status_code, (200, 400))


class SightTests(SimulationCase):
    def test_it_tells_nothing_of_what_is_hidden(self):
        """What is hidden and what is not there are answered alike."""
        there = fire(self.source, "a", labels={"cluster": "eu"}).incident
        Incident.objects.filter(pk=there.pk).update(is_restricted=True)
        otto = make_responder(name="Otto")
        hidden = [
            self.simulate(by=otto, fingerprint="b", labels={"cluster": "eu"}),
            self.simulate(by=otto, fingerprint="a", labels={"cluster": "eu"}),
            self.simulate({"source": self.source.pk, "payload": {"title": "x", "key": "a", "status": "ok"}}, by=otto),
        ]
        seen = self.simulate(by=self.member, fingerprint="b", labels={"cluster": "eu"})
        Alert.objects.all().delete()
        AlertGroup.objects.all().delete()
        absent = [
            self.simulate(by=otto, fingerprint="b", labels={"cluster": "eu"}),
            self.simulate(by=otto, fingerprint="a", labels={"cluster": "eu"}),
            self.simulate({"source": self.source.pk, "payload": {"title": "x", "key": "a", "status": "ok"}}, by=otto),
        ]

        self.assertEqual(hidden, absent)
        self.assertEqual([one["result"] for one in hidden], ["opens", "opens", "nothing"])
        self.assertEqual((seen["result"], seen["incident"]["id"]), ("joins", there.pk))

    def test_it_is_not_for_reporters(self):
        answer = client_of(make_reporter()).post(SIMULATE, {"alert": {}})

        self.assertEqual(answer.status_code, 403)

    def test_it_costs_no_more_with_more_history(self):
        make_route(matchers=matchers_of(("cluster", "=", "us")))
        before = self.cost()
        for number in range(20):
            fire(self.source, str(number), labels={"cluster": str(number)})

        after = self.cost()

        self.assertEqual(after, before)
        self.assertLessEqual(after, 12)

    def cost(self):
        body = {"source": self.source.pk, "alert": {"fingerprint": "x", "labels": {"cluster": "eu"}}}
        with CaptureQueriesContext(connection) as queries:
            self.assertEqual(client_of(self.admin).post(SIMULATE, body).status_code, 200)
        return len(queries)

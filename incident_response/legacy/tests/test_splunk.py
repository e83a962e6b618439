from typing import Any
from unittest import mock

from django.test import TestCase, override_settings
from django.utils import timezone

from core.server import health
from core.server.facts import Facts
from e2e.stand_ins.splunk import TOKEN, Splunk
from incident_response.legacy.splunk import Connection
from integrations.splunk import client
from logs.models import DetectionRule
from logs.services import rules
from tests.people import signed_in
from users.tests.factories import make_admin

ON = "incident_response.legacy.tests.urlconf"


@override_settings(ROOT_URLCONF=ON, SPLUNK_URL="http://127.0.0.1:9", SPLUNK_TOKEN=TOKEN, SPLUNK_CA="")
class SplunkTests(TestCase):
    def setUp(self) -> None:
        client.version.cache_clear()
        self.addCleanup(client.version.cache_clear)

    def make_rule(self, **fields: Any) -> DetectionRule:
        name = f"Rule {DetectionRule.objects.count()}"
        return DetectionRule.objects.create(
            name=name, query="error", store="splunk", source=rules.log_source(), **fields
        )

    def known(self) -> tuple[bool, bool]:
        """Whether it is connected, and whether that is well."""
        connection = Connection()
        is_connected = connection.read()
        return is_connected, connection.is_well(is_connected)

    def test_it_is_connected_once_the_rules_searches_work(self) -> None:
        found = [self.known()]
        rule = self.make_rule(evaluated_until=None)
        found.append(self.known())
        DetectionRule.objects.filter(pk=rule.pk).update(evaluated_until=timezone.now())
        found.append(self.known())
        self.make_rule(failures=1, evaluated_until=timezone.now())
        found.append(self.known())

        self.assertEqual(found, [(False, True), (False, True), (True, True), (False, False)])

    def test_it_heeds_no_rule_that_is_disabled_and_no_store_that_is_not_set_up(self) -> None:
        self.make_rule(evaluated_until=timezone.now())
        self.make_rule(failures=9, is_enabled=False)
        found = [self.known()]
        with self.settings(SPLUNK_TOKEN=""):
            found.append(self.known())

        self.assertEqual(found, [(True, True), (False, True)])

    def test_it_degrades_health_without_an_error(self) -> None:
        self.make_rule(failures=1)
        connection, facts = Connection(), Facts()
        facts.register("splunk_connected", connection.read, until_read=False, is_well=connection.is_well)
        facts.refresh()
        ok = {"database": {"status": "ok", "detail": ""}}

        with mock.patch.object(health, "facts", facts), mock.patch.object(health, "current_outcomes", return_value=ok):
            answer = self.client.get("/health")

        said = answer.json()
        self.assertEqual((answer.status_code, said["status"], said["splunk_connected"]), (200, "degraded", False))

    def test_it_searches_when_an_administrator_asks(self) -> None:
        api = signed_in(make_admin())
        with Splunk() as stand_in, self.settings(SPLUNK_URL=stand_in.url):
            stand_in.add(timezone.now(), "level=ERROR")
            reached = [api.get("/test-splunk").json(), api.post("/test-splunk").json()]
            with self.settings(SPLUNK_TOKEN="another"):
                refused = api.get("/test-splunk").json()
        unreached = api.get("/test-splunk").json()
        with self.settings(SPLUNK_URL=""):
            missing = api.get("/test-splunk").json()

        self.assertEqual([(one["status"], one["splunk_connected"]) for one in reached], [("success", True)] * 2)
        for one in (refused, unreached, missing):
            self.assertEqual((one["status"], one["splunk_connected"]), ("error", False))
            self.assertNotIn(TOKEN, one["message"])
        self.assertIn("SPLUNK_URL", missing["message"])

"""The rules that users of Splunk begin with, from events to alerts and incidents."""

import json

from django.test import TestCase, override_settings

from alerts.models import Alert
from alerts.services import process_waiting
from e2e.stand_ins.splunk import TOKEN, Splunk
from integrations.splunk import client
from integrations.splunk.store import TEMPLATES
from logs.jobs import search_stores
from logs.models import DetectionRule
from logs.tests.rules import START, after
from logs.tests.stores import make_outside_rule


class TemplateRuleTests(TestCase):
    def setUp(self) -> None:
        client.version.cache_clear()
        self.splunk = self.enterContext(Splunk())
        self.enterContext(override_settings(SPLUNK_URL=self.splunk.url, SPLUNK_TOKEN=TOKEN, SPLUNK_CA=""))

    def found(self, key: str, seconds: int) -> list[str]:
        """The titles of the alerts that a template raises until so long after START."""
        template = next(one for one in TEMPLATES if one.key == key)
        make_outside_rule(
            store="splunk",
            name=str(template.title),
            query=template.query,
            threshold=template.threshold,
            severity=template.severity,
            check_interval_seconds=template.check_interval_seconds,
            window_seconds=template.window_seconds,
            group_by=[*template.group_by],
        )
        DetectionRule.objects.filter(store="splunk").update(evaluated_until=START, next_run_at=START)
        search_stores(after(seconds))
        while process_waiting():
            pass
        return list(Alert.objects.filter(incident__isnull=False).order_by("title").values_list("title", flat=True))

    def test_it_advises_to_narrow_what_searches_everything(self):
        for template in TEMPLATES:
            self.assertEqual("index=*" in template.query, "Write your indexes for index=*" in str(template.about))

    def test_it_finds_a_rise_of_errors(self):
        for number in range(120):
            at = after(number * 2)
            self.splunk.add(at, f"level={'ERROR' if number % 2 else 'INFO'} request {number}", host="web-1")
            self.splunk.add(at, f"GET /pay status={503 if number % 4 else 200}", host="web-2", sourcetype="access")
            self.splunk.add(at, "level=INFO all is well, no ERROR", host="web-3")

        self.assertEqual(self.found("error_rate", 400), ["Error rate: web-1", "Error rate: web-2"])

    def test_it_finds_calls_to_aws_that_fail(self):
        for number in range(8):
            code = "AccessDenied" if number < 6 else "ThrottlingException"
            call = {"eventName": "AssumeRole", "errorCode": code, "eventSource": "sts.amazonaws.com"}
            self.splunk.add(after(number), json.dumps(call), sourcetype="aws:cloudtrail")
            fine = {"eventName": "AssumeRole", "errorCode": "success"}
            self.splunk.add(after(number), json.dumps(fine), sourcetype="aws:cloudtrail")
            self.splunk.add(after(number), json.dumps({"eventName": "ListBuckets"}), sourcetype="aws:cloudtrail")

        self.assertEqual(self.found("cloudtrail_errors", 400), ["CloudTrail errors: AccessDenied: AssumeRole"])
        self.assertIn("6 lines within 300 seconds", Alert.objects.get().description)

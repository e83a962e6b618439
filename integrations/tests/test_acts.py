"""Several things that one message says, and what it says by a key alone."""

import datetime as dt
import json
from typing import Any

from django.test import SimpleTestCase, TestCase
from django.utils import timezone

from alerts.models import Alert
from alerts.services import process_waiting
from alerts.tests.factories import (
    fire,
    make_key,
    make_route,
    make_source,
    matchers_of,
    post_json,
    receive,
    resolve,
    said,
)
from alerts.updates import Action, AlertUpdate
from core.severity import Severity
from incidents.models import EventKind, Incident
from intake.requests import IntakeError, IntakeRequest
from integrations.generic import payload as generic
from integrations.newrelic import payload as newrelic
from integrations.zabbix import payload as zabbix


def parsed(reader: Any, body: Any) -> list[AlertUpdate]:
    return list(reader.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode())))


class ZabbixTests(SimpleTestCase):
    def acts(self, done: str, message: str = "") -> list[tuple[str, str]]:
        body = {"event_id": "1", "event_value": "1", "event_name": "Load", "event_nseverity": "5"}
        more = {"event_update_status": "1", "event_update_action": done, "update_message": message}
        return [(update.action.value, update.note) for update in parsed(zabbix, {**body, **more})]

    def test_it_does_all_that_an_update_says(self):
        self.assertEqual(
            self.acts("acknowledged, commented and changed severity from High to Disaster", "m"), [("acknowledge", "m")]
        )
        self.assertEqual(
            self.acts("commented and changed severity from High to Disaster", "m"), [("fire", ""), ("note", "m")]
        )
        self.assertEqual(self.acts("suppressed until 2026-12-01"), [("note", "suppressed until 2026-12-01")])
        self.assertEqual(self.acts("unacknowledged"), [("note", "unacknowledged")])

    def test_it_reads_the_mask_of_zabbix_too(self):
        self.assertEqual(self.acts("14", "m"), [("acknowledge", "m")])
        self.assertEqual(self.acts("12", "m"), [("fire", ""), ("note", "m")])
        self.assertEqual(self.acts("16"), [("note", "unacknowledged")])


class NewRelicTests(SimpleTestCase):
    def test_it_tells_an_acknowledged_issue_by_who_took_it_or_when(self):
        for facts, action in (
            ({"acknowledgedAt": 1795970300000}, Action.ACKNOWLEDGE),
            ({"owner": "Kim"}, Action.ACKNOWLEDGE),
            ({"acknowledgedBy": ["Kim"]}, Action.ACKNOWLEDGE),
            ({"owner": "N/A", "acknowledgedAt": 0}, Action.FIRE),
            ({"owner": None}, Action.FIRE),
            ({"owner": "Kim", "state": "CLOSED"}, Action.RESOLVE),
        ):
            with self.subTest(facts=facts):
                [update] = parsed(newrelic, {"id": "1", "title": "t", "state": "ACTIVATED", **facts})

                self.assertEqual(update.action, action)


class ByKeyTests(SimpleTestCase):
    def test_it_needs_no_title_for_what_is_known_by_its_key(self):
        for status, action in {"ok": "resolve", "acknowledged": "acknowledge", "maintenance": "note"}.items():
            [update] = parsed(generic, {"key": "job/night", "status": status})

            self.assertEqual((update.fingerprint, update.title, update.action), ("job/night", "job/night", action))

    def test_it_wants_a_title_for_what_is_new(self):
        for status in ("", "firing", "trigger"):
            with self.subTest(status=status), self.assertRaises(IntakeError):
                parsed(generic, {"key": "job/night", "status": status})

    def test_it_takes_a_severity_that_means_over_for_an_end(self):
        for body, action in (
            ({"severity": "ok"}, "resolve"),
            ({"severity": "Clear", "status": "0"}, "resolve"),
            ({"severity": "ok", "status": "1"}, "resolve"),
            ({"severity": "ok", "status": "firing"}, "fire"),
            ({"severity": "normal"}, "fire"),
            ({"severity": "none"}, "fire"),
        ):
            with self.subTest(body=body):
                self.assertEqual(parsed(generic, {"title": "t", "key": "a", **body})[0].action, action)

    def test_it_finds_labels_in_a_list_of_fields(self):
        fields = [{"key": "severity", "value": "ERROR"}, {"key": "team", "value": "db"}]

        [update] = parsed(generic, {"title": "t", "fields": fields})

        self.assertEqual((update.severity, update.labels["team"]), ("high", "db"))

    def test_it_finds_the_keys_of_other_tools(self):
        names = (
            "key dedup_key deduplicationKey fingerprint alias incident_key alert_uid alertId incidentId problem_id "
            "correlation_id event_id issueId monitorId aggregation_key externalId"
        )
        for name in names.split():
            with self.subTest(name=name):
                self.assertEqual(parsed(generic, {"title": "t", name: "k"})[0].fingerprint, "k")

    def test_it_keeps_the_exact_text_of_keys_that_are_numbers(self):
        for written in (
            "12345678901234567890123",
            "18446744073709551616",
            "-9223372036854775809",
            "1.10",
            "1E400",
            "7",
            "true",
        ):
            with self.subTest(written=written):
                body = f'{{"title": "t", "key": {written}}}'.encode()

                [update] = generic.parse(IntakeRequest("POST", "/", {}, body))

                self.assertEqual(update.fingerprint, written)

    def test_it_takes_a_word_for_over_from_what_happened_to_a_key(self):
        for body, action in (
            ({"key": "a", "event": "check.up"}, "resolve"),
            ({"key": "a", "event_type": "incident.acknowledged"}, "acknowledge"),
            ({"key": "a", "fixed": True}, "resolve"),
            ({"key": "a", "resolved": False}, "fire"),
            ({"title": "Pod deleted", "event": "deleted"}, "fire"),
            ({"key": "a", "event": "deploy"}, "fire"),
        ):
            with self.subTest(body=body):
                self.assertEqual(parsed(generic, {"title": "t", **body})[0].action, action)

    def test_it_takes_how_bad_it_is_from_the_labels_where_nothing_else_says_it(self):
        for body in (
            {"labels": {"severity": "P0"}},
            {"tags": ["priority:P1"]},
            {"severity": "Sev0", "labels": {"severity": "low"}},
        ):
            with self.subTest(body=body):
                self.assertEqual(parsed(generic, {"title": "t", **body})[0].severity, "critical")


class FoldingTests(TestCase):
    def test_it_acknowledges_comments_and_raises_in_one_message(self):
        source = make_source(kind="zabbix")
        body = {"event_id": "9", "event_value": "1", "event_name": "Disk", "event_nseverity": "4"}
        done = "acknowledged, commented and changed severity from High to Disaster"
        update = {"event_nseverity": "5", "event_update_status": "1", "event_update_action": done}
        key = make_key(source)

        for sent in (body, {**body, **update, "update_message": "Enlarging", "user": "Kim"}):
            post_json(self.client, f"/intake/{key}/", sent)
            process_waiting()

        incident = Incident.objects.get()
        self.assertEqual((incident.status, incident.severity), ("acknowledged", Severity.CRITICAL))
        self.assertEqual(Alert.objects.get().severity, Severity.CRITICAL)
        self.assertIn("Kim: Enlarging", [said(event) for event in incident.events.all()])

    def test_it_keeps_the_note_of_an_acknowledgement_that_comes_again(self):
        source = make_source()
        fire(source)
        for note in ("On it", "Nearly there"):
            receive(source, AlertUpdate("a", Action.ACKNOWLEDGE, "a", note=note, user="Kim"))

        comment = Incident.objects.get().events.get(kind=EventKind.COMMENT)
        self.assertEqual(said(comment), "Kim: Nearly there")

    def test_it_does_not_raise_what_is_over(self):
        source = make_source()
        fire(source, severity="low")
        resolve(source)

        alert = receive(source, AlertUpdate("a", Action.NOTE, "a", note="n", severity="critical"))

        self.assertEqual((alert.severity, alert.status), (Severity.LOW, "resolved"))

    def test_it_opens_and_reopens_nothing_when_a_downtime_starts(self):
        source = make_source()
        key = make_key(source)
        for status in ("DOWNTIMESTART", "PROBLEM", "RECOVERY", "DOWNTIMESTART", "FLAPPINGSTART"):
            post_json(self.client, f"/intake/{key}/", {"title": "Load", "key": "a", "status": status})
            process_waiting()

        self.assertEqual([Alert.objects.get().status, Incident.objects.get().status], ["resolved", "resolved"])

    def test_it_keeps_the_beginning_when_an_end_is_told_as_one(self):
        source = make_source(kind="grafana")
        began = timezone.now().replace(microsecond=0) - dt.timedelta(hours=1)
        ended = began + dt.timedelta(minutes=20)
        fire(source, starts_at=began)

        alert = resolve(source, starts_at=ended, ends_at=ended)

        self.assertEqual((alert.starts_at, alert.ends_at, alert.status), (began, ended, "resolved"))

    def test_it_finds_a_label_by_each_of_its_values(self):
        source = make_source(kind="zabbix")
        make_route(matchers=matchers_of(("scope", "=", "performance")), severity=Severity.CRITICAL)
        tags = [{"tag": "scope", "value": "capacity"}, {"tag": "scope", "value": "performance"}]
        body = {"event_id": "9", "event_value": "1", "event_name": "Disk", "event_nseverity": "2"}

        post_json(self.client, f"/intake/{make_key(source)}/", {**body, "event_tags": json.dumps(tags)})
        process_waiting()

        self.assertEqual(Alert.objects.get().labels["scope"], "capacity | performance")
        self.assertEqual(Incident.objects.get().severity, Severity.CRITICAL)
        for value in ("capacity", "performance", "capacity | performance"):
            self.assertEqual(Alert.objects.all().labelled("scope", value).count(), 1)
        self.assertEqual(Alert.objects.all().labelled("scope", "other").count(), 0)

    def test_it_expires_what_began_and_whose_sender_may_never_end_it(self):
        source, now = make_source(kind="prometheus"), timezone.now()

        told = fire(source, "a", at=now, starts_at=now)
        untold = fire(source, "b", at=now, starts_at=now, may_never_end=True)

        self.assertEqual((told.expires_at, untold.expires_at), (None, now + dt.timedelta(days=1)))


class MarkTests(SimpleTestCase):
    def test_it_takes_a_byte_order_mark_for_no_content(self):
        mark = "\ufeff"
        json_type, form_type = "application/json", "application/x-www-form-urlencoded"
        part = 'Content-Disposition: form-data; name="title"\r\n\r\n'
        bodies = {
            (json_type, (mark + '{"title": "T"}').encode()),
            (json_type, ("\n" + mark + '[{"title": "T"}]').encode()),
            (form_type, (mark + '{"title": "T"}').encode()),
            (json_type, (mark + '{"title": "T"}').encode("utf-16-le")),
            (json_type, (mark + '{"title": "T"}').encode("utf-32-be")),
            (form_type, (mark + "title=T").encode()),
            (form_type, b"title=%EF%BB%BFT"),
            (form_type, b"payload=%EF%BB%BF%7B%22title%22%3A%22T%22%7D"),
            ("multipart/form-data; boundary=b", f"--b\r\n{part}{mark}T\r\n--b--\r\n".encode()),
            ("text/xml", (mark + "<a><title>T</title></a>").encode()),
            ("text/xml", (mark + '<?xml version="1.0" encoding="utf-16"?><a><title>T</title></a>').encode("utf-16-be")),
            (json_type, f'{{"{mark}title": "{mark}T"}}'.encode()),
        }
        for media_type, body in bodies:
            with self.subTest(media_type=media_type, body=body[:40]):
                [update] = generic.parse(IntakeRequest("POST", "/", {"content-type": media_type}, body))

                self.assertEqual(update.title, "T")

import datetime as dt
from typing import Any

import time_machine
from django.test import TestCase
from django.utils import timezone
from rest_framework.test import APIClient

from incidents.models import Incident, IncidentEvent
from incidents.services import comment
from incidents.tests.factories import (
    MONDAY,
    kinds_of,
    make_category,
    make_incident,
    make_service,
    make_team,
    minutes,
    report,
)
from incidents.tests.files import picture, upload
from incidents.vocabulary import Visibility
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

INCIDENTS = "/api/v1/incidents/"


class IncidentCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.reporter, cls.member, cls.outsider = make_reporter(), make_responder(), make_responder()
        cls.admin = make_admin()
        cls.team = make_team("Database", cls.member)
        cls.elsewhere = make_team("Elsewhere", cls.outsider)
        cls.incident = Incident.objects.get(pk=report(by=cls.reporter, title="Checkout is down", at=MONDAY).pk)
        Incident.objects.filter(pk=cls.incident.pk).update(team=cls.team)

    def setUp(self) -> None:
        self.path = f"{INCIDENTS}{self.incident.pk}/"
        self.client = client_of(self.member)

    def patch(self, body: Any, *, client: APIClient | None = None, **options: Any) -> Any:
        return (client or self.client).patch(self.path, body, **options)

    def events(self) -> list[str]:
        """What people did to the incident; it is old, so that targets are missed along the way."""
        return [kind for kind in kinds_of(self.incident) if not kind.endswith("_breached")]


class CreateTests(IncidentCase):
    def test_it_wants_a_title_only(self) -> None:
        answer = client_of(self.reporter).post(INCIDENTS, {"title": " Disk is full "})

        body = answer.json()
        self.assertEqual(answer.status_code, 201)
        self.assertEqual((answer["Location"], answer["ETag"]), (body["url"], '"1"'))
        shown = (body["title"], body["severity"], body["priority"], body["status"], body["source"], body["reporter"])
        self.assertEqual(shown, ("Disk is full", "medium", "p3", "open", "api", self.reporter.pk))
        self.assertEqual(body["reference"], f"INC-{body['id']}")
        self.assertEqual((body["attachments"], body["allowed_transitions"]), ([], []))
        self.assertEqual(self.client.get(body["url"]).status_code, 200)

    def test_it_finds_the_team(self) -> None:
        make_service("payments", team=self.team)
        make_category("network", default_team=self.elsewhere)
        table = [
            ({}, None),
            ({"category": "network"}, self.elsewhere.pk),
            ({"category": "network", "services": ["payments"]}, self.team.pk),
            ({"services": ["payments"], "team": self.elsewhere.pk}, self.elsewhere.pk),
        ]
        for fields, team in table:
            with self.subTest(fields):
                self.assertEqual(self.client.post(INCIDENTS, {"title": "x", **fields}).json()["team"], team)

    def test_it_does_a_repeat_once(self) -> None:
        headers = {"Idempotency-Key": "once"}

        first = self.client.post(INCIDENTS, {"title": "x"}, headers=headers)
        again = self.client.post(INCIDENTS, {"title": "x"}, headers=headers)
        other = self.client.post(INCIDENTS, {"title": "y"}, headers=headers)

        self.assertEqual((again.status_code, again.content), (201, first.content))
        self.assertEqual((again["ETag"], again["Location"]), (first["ETag"], first["Location"]))
        self.assertEqual((other.status_code, other.json()["code"]), (409, "idempotency_key_reused"))
        self.assertEqual(Incident.objects.count(), 2)

    def test_it_does_a_repeated_form_once(self) -> None:
        content = picture()

        def send(name: str) -> Any:
            form = {"title": "x", "attachments": [upload(content, name)]}
            return self.client.post(INCIDENTS, form, format="multipart", headers={"Idempotency-Key": "form"})

        first, again, other = send("a.jpg"), send("a.jpg"), send("b.jpg")

        self.assertEqual((first.status_code, again.content), (201, first.content))
        self.assertEqual(len(first.json()["attachments"]), 1)
        self.assertEqual(other.status_code, 409)
        self.assertEqual(Incident.objects.count(), 2)

    def test_it_takes_lists_from_forms(self) -> None:
        for slug in ("payments", "search"):
            make_service(slug)

        answer = self.client.post(INCIDENTS, {"title": "x", "services": ["payments", "search"]}, format="multipart")

        self.assertEqual(answer.json()["services"], ["payments", "search"])

    def test_it_names_the_services_that_are_not_there(self) -> None:
        make_service("payments")
        for slugs, sentence in (
            (["payments", "tea"], "Service tea does not exist."),
            (["tea", "payments", "milk"], "Services tea, milk do not exist."),
        ):
            with self.subTest(slugs=slugs):
                answer = self.client.post(INCIDENTS, {"title": "x", "services": slugs})

                self.assertIn(sentence, str(answer.json()["errors"]))


class ChangeTests(IncidentCase):
    def test_it_leaves_no_event_where_nothing_changes(self) -> None:
        before = Incident.objects.get(pk=self.incident.pk)

        for body in ({"status": "open"}, {"status": "open", "note": "Still"}, {}, {"title": "Checkout is down"}):
            with self.subTest(body):
                answer = self.patch(body)

                self.assertEqual((answer.status_code, answer["ETag"]), (200, f'"{before.version}"'))
        self.assertEqual(self.events(), ["created"])

    def test_it_leaves_an_event_for_each_fact(self) -> None:
        answer = self.patch({"title": "New", "location": "Rack 5"})

        self.assertEqual((answer.status_code, answer["ETag"]), (200, '"2"'))
        self.assertEqual(self.events(), ["created", "field_changed", "field_changed"])

    def test_it_does_all_or_nothing(self) -> None:
        for body in (
            {"title": "New", "status": "closed"},
            {"title": "New", "assignee": self.reporter.pk},
            {"title": "New", "severity": "awful"},
            {"team": None, "status": "on_hold", "note": ""},
        ):
            with self.subTest(body):
                answer = self.patch(body)

                self.assertIn(answer.status_code, (400, 409))
        self.assertEqual(self.events(), ["created"])
        self.assertEqual(Incident.objects.get(pk=self.incident.pk).title, "Checkout is down")

    def test_it_lists_what_is_allowed_instead(self) -> None:
        body = self.patch({"status": "closed"}).json()

        self.assertEqual(body["code"], "invalid_transition")
        self.assertEqual(body["allowed"], ["acknowledged", "in_progress", "resolved"])

    def test_it_tells_the_note_with_the_change_of_team(self) -> None:
        self.patch({"team": self.elsewhere.pk, "note": "This is yours"})

        event = IncidentEvent.objects.get(incident=self.incident, kind="team_changed")
        self.assertEqual((event.body, event.actor), ("This is yours", self.member))

    def test_it_does_not_lose_a_note_by_itself(self) -> None:
        answer = self.patch({"note": "Important"})

        self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, "note"))

    def test_it_passes_over_a_byte_order_mark(self) -> None:
        body = b'\xef\xbb\xbf{"location": "Cellar"}'

        answer = self.client.generic("PATCH", self.path, body, content_type="application/json")

        self.assertEqual((answer.status_code, answer.json()["location"]), (200, "Cellar"))

    def test_it_wants_a_title_in_a_put(self) -> None:
        self.assertEqual(self.client.put(self.path, {"severity": "low"}).status_code, 400)
        answer = self.client.put(self.path, {"title": "Replaced", "severity": "low"})

        self.assertEqual(
            (answer.status_code, answer.json()["title"], answer.json()["severity"]), (200, "Replaced", "low")
        )

    def test_it_does_not_unrestrict_by_a_form_without_the_field(self) -> None:
        Incident.objects.filter(pk=self.incident.pk).update(is_restricted=True)

        answer = self.client.put(self.path, {"title": "Form"}, format="multipart")

        self.assertEqual((answer.status_code, answer.json()["is_restricted"]), (200, True))

    def test_it_takes_the_number_or_the_reference(self) -> None:
        for name in (self.incident.pk, f"INC-{self.incident.pk}", f"inc-{self.incident.pk}"):
            with self.subTest(name):
                self.assertEqual(self.client.get(f"{INCIDENTS}{name}/").json()["id"], self.incident.pk)

    def test_it_does_a_repeated_patch_once(self) -> None:
        headers = {"Idempotency-Key": "once"}

        first = self.patch({"status": "acknowledged"}, headers=headers)
        self.patch({"status": "resolved"})
        again = self.patch({"status": "acknowledged"}, headers=headers)

        self.assertEqual(again.content, first.content)
        self.assertEqual(self.events(), ["created", "acknowledged", "resolved"])

    def test_it_remembers_refusals_too(self) -> None:
        headers = {"Idempotency-Key": "once"}

        first = self.patch({"status": "closed"}, headers=headers)
        self.patch({"status": "resolved"})
        again = self.patch({"status": "closed"}, headers=headers)

        self.assertEqual((again.status_code, again.content), (409, first.content))


class IfMatchTests(IncidentCase):
    def test_it_guards_against_lost_updates(self) -> None:
        self.patch({"title": "Second"})
        table = [
            ('"2"', 200),
            ("*", 200),
            ('"1", "2"', 200),
            ('"1"', 412),
            ('W/"2"', 412),
            ('"99999999999"', 412),
            ("garbage", 412),
            ("", 412),
            ('""', 412),
            ('"\u00e9"', 412),
            ("-2", 412),
        ]
        for tag, status in table:
            for method, body in (("patch", {"title": "Second"}), ("put", {"title": "Second"})):
                with self.subTest(tag, method=method):
                    answer = getattr(self.client, method)(self.path, body, headers={"If-Match": tag})

                    self.assertEqual(answer.status_code, status)
        self.assertEqual(client_of(self.admin).delete(self.path, headers={"If-Match": '"1"'}).status_code, 412)
        self.assertEqual(client_of(self.admin).delete(self.path, headers={"If-Match": '"2"'}).status_code, 204)

    def test_it_names_the_present_version(self) -> None:
        tag = self.client.get(self.path)["ETag"]

        changed = self.patch({"title": "New"}, headers={"If-Match": tag})

        self.assertEqual(self.client.get(self.path)["ETag"], changed["ETag"])
        self.assertNotEqual(changed["ETag"], tag)


class DeleteTests(IncidentCase):
    def test_it_hides_but_keeps_the_trail(self) -> None:
        admin = client_of(self.admin)

        self.assertEqual(admin.delete(self.path).status_code, 204)

        for person in (self.admin, self.member, self.reporter):
            client = client_of(person)
            self.assertEqual(client.get(self.path).status_code, 404)
            self.assertEqual(client.get(f"{self.path}timeline/").status_code, 404)
            self.assertEqual(client.get(INCIDENTS).json()["results"], [])
            self.assertEqual(client.get(f"{INCIDENTS}summary/").json()["total"], 0)
        self.assertEqual(admin.delete(self.path).status_code, 404)
        self.assertEqual(self.events(), ["created", "deleted"])


class AsOfTests(IncidentCase):
    def setUp(self) -> None:
        super().setUp()
        with time_machine.travel(MONDAY + minutes(10), tick=False):
            self.patch({"severity": "critical", "title": "Everything is down"})
        with time_machine.travel(MONDAY + minutes(20), tick=False):
            self.patch({"status": "resolved"})
        with time_machine.travel(MONDAY + minutes(30), tick=False):
            comment(self.incident, "Hush", by=self.member, visibility=Visibility.INTERNAL)

    def as_of(self, moment: dt.datetime | str, client: APIClient | None = None) -> Any:
        text = moment if isinstance(moment, str) else moment.isoformat()
        return (client or self.client).get(self.path, {"as_of": text})

    def test_it_shows_the_incident_as_it_stood(self) -> None:
        table = [
            (MONDAY, ("Checkout is down", "medium", "open")),
            (MONDAY + minutes(9), ("Checkout is down", "medium", "open")),
            (MONDAY + minutes(10), ("Everything is down", "critical", "open")),
            (MONDAY + minutes(25), ("Everything is down", "critical", "resolved")),
        ]
        for moment, expected in table:
            with self.subTest(moment):
                body = self.as_of(moment).json()

                self.assertEqual((body["title"], body["severity"], body["status"]), expected)
        self.assertEqual(self.as_of(MONDAY - dt.timedelta(seconds=1)).status_code, 404)

    def test_it_reads_times_however_they_are_written(self) -> None:
        there = (MONDAY + minutes(10)).astimezone(dt.timezone(dt.timedelta(hours=1))).isoformat()
        for text in (there, there.replace("+", " "), "2026-03-02T10:10:00Z", "2026-03-02T10:10:00"):
            with self.subTest(text):
                self.assertEqual(self.as_of(text).json()["severity"], "critical")
        for text in ("yesterday", "", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"):
            with self.subTest(text):
                self.assertEqual(self.as_of(text).status_code, 400)

    def test_it_does_not_tell_reporters_of_internal_notes(self) -> None:
        body = self.as_of(MONDAY + minutes(40), client_of(self.reporter)).json()

        self.assertEqual(body["updated_at"], "2026-03-02T10:20:00Z")

    def test_it_agrees_with_the_present(self) -> None:
        now, then = self.client.get(self.path).json(), self.as_of(timezone.now()).json()

        for name in set(then) - {"as_of"}:
            if name not in ("team", "updated_at"):  # the test put the team there without an event
                with self.subTest(name):
                    self.assertEqual(then[name], now[name])


class BulkTests(IncidentCase):
    def test_it_changes_many_by_number_or_reference(self) -> None:
        first, second = make_incident(), make_incident()
        ids = [first.reference.lower(), second.pk, second.reference]

        answer = self.client.post(f"{INCIDENTS}bulk/", {"ids": ids, "status": "acknowledged"})

        self.assertEqual([row["id"] for row in answer.json()["results"]], [first.pk, second.pk])

    def test_it_answers_for_each(self) -> None:
        resolved = make_incident(by=self.member)
        Incident.objects.filter(pk=resolved.pk).update(status="closed")
        theirs = make_incident(by=self.outsider, team=self.elsewhere)
        hidden = make_incident(by=self.outsider, team=self.elsewhere, is_restricted=True)
        ids = [self.incident.pk, resolved.pk, theirs.pk, hidden.pk, 10**9, self.incident.pk]

        answer = self.client.post(f"{INCIDENTS}bulk/", {"ids": ids, "status": "acknowledged"})

        results = answer.json()["results"]
        self.assertEqual([result["id"] for result in results], ids[:-1])
        codes = [result.get("code", result.get("status")) for result in results]
        self.assertEqual(codes, ["acknowledged", "invalid_transition", "permission_denied", "not_found", "not_found"])
        self.assertEqual([result["ok"] for result in results], [True, False, False, False, False])
        self.assertEqual(self.events(), ["created", "acknowledged"])

    def test_it_refuses_what_makes_no_sense(self) -> None:
        one = [self.incident.pk]
        table: list[Any] = [
            {},
            {"ids": one},
            {"ids": []},
            {"ids": one, "note": "x"},
            {"ids": list(range(1, 202)), "severity": "low"},
            {"ids": [0], "severity": "low"},
            {"ids": one, "title": "x"},
            {"ids": [str(2**63)], "severity": "low"},
        ]
        for body in table:
            with self.subTest(body):
                self.assertEqual(self.client.post(f"{INCIDENTS}bulk/", body).status_code, 400)

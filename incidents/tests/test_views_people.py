from unittest import mock

from django.test import TransactionTestCase

from incidents.models import Incident, Subscription
from incidents.services import comment, subscribe
from incidents.tests.factories import make_incident
from incidents.tests.test_views_incidents import INCIDENTS, IncidentCase
from incidents.vocabulary import Visibility
from users.tests.factories import client_of, make_reporter, make_responder


class PeopleTests(IncidentCase):
    def test_reporters_see_only_what_they_follow(self) -> None:
        make_incident(by=self.member)
        followed = make_incident(by=self.member)
        subscribe(followed, self.reporter, by=self.admin)

        rows = client_of(self.reporter).get(INCIDENTS).json()["results"]

        self.assertEqual({row["id"] for row in rows}, {self.incident.pk, followed.pk})

    def test_internal_notes_are_for_those_who_work(self) -> None:
        comment(self.incident, "xyzzy", by=self.member, visibility=Visibility.INTERNAL)
        table = [(self.reporter, 0), (self.member, 1), (self.outsider, 1), (self.admin, 1)]
        for person, number in table:
            with self.subTest(person.role):
                client = client_of(person)
                timeline = client.get(f"{self.path}timeline/").json()["results"]

                self.assertEqual(len([event for event in timeline if event["visibility"] == "internal"]), number)
                self.assertEqual(len(client.get(INCIDENTS, {"q": "xyzzy"}).json()["results"]), number)
                self.assertNotIn("xyzzy", client.get(f"{self.path}history/").content.decode())
                self.assertNotIn("xyzzy", client.get(self.path).content.decode())

    def test_reporters_edit_their_words_while_open(self) -> None:
        client = client_of(self.reporter)

        self.assertEqual(self.patch({"description": "More"}, client=client).status_code, 200)
        for body in ({"severity": "low"}, {"location": "x"}, {"title": "x", "team": None}, {"status": "resolved"}):
            with self.subTest(body):
                self.assertEqual(self.patch(body, client=client).status_code, 403)
        self.patch({"status": "resolved"})
        self.assertEqual(self.patch({"description": "Even more"}, client=client).status_code, 403)

    def test_subscribers_do_not_edit(self) -> None:
        subscriber = make_reporter()
        Subscription.objects.create(incident=self.incident, user=subscriber)

        answer = self.patch({"title": "Mine"}, client=client_of(subscriber))

        self.assertEqual(answer.status_code, 403)

    def test_responders_outside_see_but_do_not_work(self) -> None:
        client = client_of(self.outsider)

        answer = self.patch({"status": "acknowledged"}, client=client)

        self.assertEqual(client.get(self.path).json()["allowed_transitions"], [])
        self.assertEqual(answer.status_code, 403)
        self.assertIn("belongs to another team", answer.json()["detail"])
        self.assertEqual(client.post(f"{self.path}timeline/", {"message": "Hi"}).status_code, 403)

    def test_responders_outside_do_not_know_of_restricted_ones(self) -> None:
        Incident.objects.filter(pk=self.incident.pk).update(is_restricted=True)
        table = [(self.reporter, 1), (self.member, 1), (self.outsider, 0), (self.admin, 1)]
        for person, number in table:
            with self.subTest(person.role):
                client = client_of(person)

                self.assertEqual(client.get(self.path).status_code, 200 if number else 404)
                self.assertEqual(len(client.get(INCIDENTS).json()["results"]), number)
                self.assertEqual(client.get(f"{INCIDENTS}summary/").json()["total"], number)
                self.assertEqual(client.get("/api/v1/metrics/sla/").json()["total"], number)
                export = b"".join(client.get(f"{INCIDENTS}export/").streaming_content)
                self.assertEqual(export.count(b"INC-"), number)

    def test_assignees_and_subscribers_see_restricted_ones(self) -> None:
        Incident.objects.filter(pk=self.incident.pk).update(is_restricted=True, assignee=self.outsider)
        subscriber = make_responder()
        subscribe(self.incident, subscriber, by=self.admin)

        for person in (self.outsider, subscriber):
            self.assertEqual(client_of(person).get(self.path).status_code, 200)

    def test_reporters_do_not_raise_what_is_not_theirs_to_raise(self) -> None:
        for field, value in {"team": self.team.pk, "assignee": self.member.pk, "priority": "p1"}.items():
            with self.subTest(field):
                answer = client_of(self.reporter).post(INCIDENTS, {"title": "x", field: value})

                self.assertEqual(answer.status_code, 403)


class SearchTests(TransactionTestCase):
    """Not within a transaction: InnoDB's full text knows committed rows only."""

    def setUp(self) -> None:
        self.reporter, self.member = make_reporter(), make_responder()
        self.client = client_of(self.member)
        self.incident = make_incident(by=self.reporter, description="満杯 disk on db at Zürich")
        comment(self.incident, "Replaced the cable", by=self.member)
        comment(self.incident, "xyzzy", by=self.member, visibility=Visibility.INTERNAL)

    def test_it_finds_what_is_said(self) -> None:
        table = {
            "checkout": 1,
            "CHECKOUT down": 1,
            "db": 1,
            "満杯": 1,
            "zurich": 1,
            "cable": 1,
            "cable checkout": 1,
            f"INC-{self.incident.pk}": 1,
            "INC-999999": 0,
            "nothing": 0,
            "checkout nothing": 0,
            '"unbalanced': 0,
            '"checkout': 1,
            "+-*": 0,
            "check*": 1,
            "checkout OR nothing": 0,
        }
        for first_rows in (1000, 0):  # by the list's first rows, and by the engine alone
            for text, number in table.items():
                with self.subTest(text), mock.patch("incidents.search.index.FIRST_ROWS", first_rows):
                    rows = self.client.get(INCIDENTS, {"q": text}).json()["results"]

                    self.assertEqual(len(rows), number)

    def test_it_finds_internal_notes_for_those_who_work_only(self) -> None:
        for person, number in ((self.reporter, 0), (self.member, 1)):
            with self.subTest(person.role):
                client = client_of(person)
                export = b"".join(client.get(f"{INCIDENTS}export/", {"q": "xyzzy"}).streaming_content)

                self.assertEqual(client.get(f"{INCIDENTS}summary/", {"q": "xyzzy"}).json()["total"], number)
                self.assertEqual(client.get("/api/v1/metrics/sla/", {"q": "xyzzy"}).json()["total"], number)
                self.assertEqual(export.count(b"INC-"), number)

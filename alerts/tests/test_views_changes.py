import datetime as dt

from django.test import TestCase
from django.utils import timezone

from alerts.models import ChangeEvent
from alerts.serializers.changes import ChangeSerializer
from alerts.tests.factories import make_source
from incidents.models import Incident
from incidents.tests.factories import make_incident, make_service
from users.tests.factories import client_of, make_reporter, make_responder

CHANGES = "/api/v1/changes/"


class ChangeCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.responder, cls.reporter = make_responder(), make_reporter()
        cls.payments, cls.search = make_service("payments"), make_service("search")
        cls.now = timezone.now()

    def setUp(self):
        self.client = client_of(self.responder)

    def make(self, summary="Deploy", minutes_ago=0, service=None, **fields):
        at = self.now - dt.timedelta(minutes=minutes_ago)
        return ChangeEvent.objects.create(
            summary=summary, service=service, occurred_at=at, received_at=self.now, **fields
        )

    def summaries(self, path=CHANGES, **query):
        answer = self.client.get(path, query)
        self.assertEqual(answer.status_code, 200, answer.content)
        return [one["summary"] for one in answer.json()["results"]]


class ChangeTests(ChangeCase):
    def test_it_is_told_by_a_responder(self):
        fields = {
            **{"summary": "Deploy 1.2", "service": "payments", "origin": "deploy-bot", "details": {"version": "1.2"}},
            **{"links": [{"href": "https://ci.example.org/1", "text": "Build"}]},
            **{"occurred_at": "2026-11-20T10:00:00Z"},
        }

        answer = self.client.post(CHANGES, fields)

        made = answer.json()
        self.assertEqual(answer.status_code, 201, made)
        self.assertEqual(set(made), set(ChangeSerializer().fields))
        self.assertEqual({name: made[name] for name in fields}, fields)
        self.assertIsNone(made["source"])

    def test_it_happened_now_unless_it_says_otherwise(self):
        made = self.client.post(CHANGES, {"summary": "Deploy"}).json()

        self.assertEqual(made["occurred_at"], made["received_at"])

    def test_it_refuses_what_cannot_be(self):
        table = [
            {"summary": ""},
            {"service": "nothing"},
            {"details": {"a": {"b": 1}}},
            {"details": {str(number): "x" for number in range(101)}},
            {"links": [{"href": "javascript:alert(1)"}]},
            {"links": ["https://example.org"]},
            {"links": [{"href": 3}]},
            {"links": [{"href": "https://example.org", "title": "x"}]},
            {"occurred_at": "yesterday"},
            {"received_at": "2026-11-20T10:00:00Z", "colour": "red"},
        ]
        for fields in table:
            with self.subTest(fields=str(fields)[:60]):
                self.assertEqual(self.client.post(CHANGES, {"summary": "Deploy", **fields}).status_code, 400)
        self.assertEqual(ChangeEvent.objects.count(), 0)

    def test_it_filters(self):
        self.make("old", 120, self.payments)
        self.make("young", 10, self.payments)
        self.make("other", 5, self.search, source=make_source())
        hour_ago = (self.now - dt.timedelta(hours=1)).isoformat()
        table = [
            ({}, ["other", "young", "old"]),
            ({"service": "payments"}, ["young", "old"]),
            ({"since": hour_ago}, ["other", "young"]),
            ({"until": hour_ago}, ["old"]),
            ({"service": "payments", "since": hour_ago}, ["young"]),
            ({"service": "nothing"}, []),
            ({"ordering": "occurred_at"}, ["old", "young", "other"]),
        ]
        for query, expected in table:
            with self.subTest(query=query):
                self.assertEqual(self.summaries(**query), expected)
        for query in ({"colour": "red"}, {"since": "x"}, {"ordering": "summary"}):
            with self.subTest(query=query):
                self.assertEqual(self.client.get(CHANGES, query).status_code, 400)

    def test_it_lists_at_a_constant_cost(self):
        for number in range(20):
            self.make(str(number), number, self.payments, source=make_source())

        with self.assertNumQueries(2):  # the changes, and their services
            self.client.get(CHANGES)

    def test_it_is_not_for_reporters(self):
        client = client_of(self.reporter)

        codes = [client.get(CHANGES).status_code, client.post(CHANGES, {"summary": "x"}).status_code]

        self.assertEqual(codes, [403, 403])


class IncidentChangesTests(ChangeCase):
    def test_it_says_what_changed_in_the_hour_before(self):
        incident = make_incident(by=self.responder, services=[self.payments], occurred_at=self.now)
        self.make("just before", 5, self.payments)
        self.make("elsewhere", 5, self.search)
        self.make("long before", 61, self.payments)
        self.make("after", -5, self.payments)

        found = self.summaries(f"/api/v1/incidents/{incident.reference}/changes/")

        self.assertEqual(found, ["just before"])

    def test_it_says_all_for_one_without_services(self):
        incident = make_incident(by=self.responder, occurred_at=self.now)
        self.make("here", 5, self.payments)
        self.make("there", 6, self.search)

        self.assertEqual(self.summaries(f"/api/v1/incidents/{incident.pk}/changes/"), ["here", "there"])

    def test_it_hides_those_of_a_hidden_incident(self):
        incident = make_incident(by=make_reporter())
        Incident.objects.filter(pk=incident.pk).update(is_restricted=True)

        self.assertEqual(self.client.get(f"/api/v1/incidents/{incident.pk}/changes/").status_code, 404)

from django.test import TestCase

from alerts.models import Alert
from alerts.tests.factories import fire, make_source
from incidents.models import Incident, IncidentLink, Status
from incidents.tests.factories import make_incident, make_team
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

API = "/api/v1/"


class MovingCase(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.admin, cls.member, cls.outsider = make_admin(), make_responder(), make_responder()
        cls.team = make_team("Database", cls.member)
        cls.source = make_source(group_by=["cluster"], team=cls.team)

    def setUp(self):
        self.one, self.two = (fire(self.source, name, labels={"cluster": "eu"}) for name in "ab")
        self.incident = Incident.objects.get(pk=self.one.incident_id)
        self.other = make_incident(by=self.member, team=self.team)

    def post(self, path, body, by=None):
        return client_of(by or self.member).post(API + path, body)

    def assert_unmoved(self):
        self.assertEqual(set(Alert.objects.values_list("incident", flat=True)), {self.incident.pk})


class MoveTests(MovingCase):
    def test_it_moves_an_alert(self):
        answer = self.post(f"alerts/{self.one.pk}/move/", {"incident": self.other.reference})

        self.assertEqual((answer.status_code, answer.json()["incident"]), (200, self.other.pk), answer.content)
        self.one.refresh_from_db()
        self.assertEqual(self.one.incident_id, self.other.pk)

    def test_it_asks_for_the_right_to_work_on_both(self):
        foreign = make_incident(by=self.admin, team=make_team("Elsewhere", self.outsider))
        table = [
            (self.outsider, self.other.pk, 403),
            (self.outsider, foreign.pk, 403),
            (self.member, foreign.pk, 403),
            (make_reporter(), self.other.pk, 404),
            (self.member, 10**9, 404),
            (self.member, "INC-x", 404),
            (self.member, "", 400),
            (self.member, None, 400),
        ]
        for by, target, status in table:
            with self.subTest(by=by.name, target=target):
                self.assertEqual(self.post(f"alerts/{self.one.pk}/move/", {"incident": target}, by).status_code, status)
        self.assert_unmoved()

    def test_it_does_it_once_under_a_key(self):
        headers = {"Idempotency-Key": "one"}
        client = client_of(self.member)

        answers = [
            client.post(f"{API}alerts/split/", {"alerts": [self.one.pk]}, headers=headers).json() for _ in range(2)
        ]

        self.assertEqual(answers[0], answers[1])
        self.assertEqual(Incident.objects.count(), 3)


class SplitTests(MovingCase):
    def test_it_opens_an_incident_of_its_own(self):
        answer = self.post("alerts/split/", {"alerts": [self.two.pk], "title": "Something else"})

        made = answer.json()
        self.assertEqual((answer.status_code, made["title"]), (201, "Something else"), made)
        self.two.refresh_from_db()
        self.assertEqual(self.two.incident_id, made["id"])
        self.assertEqual(Incident.objects.get(pk=made["id"]).team, self.team)

    def test_it_refuses_what_cannot_be_split(self):
        table = [
            ({"alerts": []}, self.member, 400),
            ({"alerts": ["x"]}, self.member, 400),
            ({"alerts": list(range(1, 502))}, self.member, 400),
            ({"alerts": [self.one.pk, 10**9]}, self.member, 404),
            ({"alerts": [self.one.pk], "colour": "red"}, self.member, 400),
            ({"alerts": [self.one.pk]}, self.outsider, 403),
            ({"alerts": [self.one.pk]}, make_reporter(), 404),
        ]
        for body, by, status in table:
            with self.subTest(body=str(body)[:50], by=by.name):
                self.assertEqual(self.post("alerts/split/", body, by).status_code, status)
        self.assert_unmoved()

    def test_it_names_the_alerts_that_are_not_there(self):
        table = [
            ([10**9], f"Alert {10**9} does not exist, or you do not have access to it."),
            ([10**9, 10**9 + 1], f"Alerts {10**9}, {10**9 + 1} do not exist, or you do not have access to them."),
        ]
        for ids, sentence in table:
            with self.subTest(ids=ids):
                self.assertEqual(self.post("alerts/split/", {"alerts": ids}).json()["detail"], sentence)


class MergeTests(MovingCase):
    def test_it_puts_one_into_another(self):
        answer = self.post(f"incidents/{self.incident.pk}/merge/", {"into": self.other.reference})

        self.assertEqual((answer.status_code, answer.json()["id"]), (200, self.other.pk), answer.content)
        self.incident.refresh_from_db()
        self.assertEqual(set(Alert.objects.values_list("incident", flat=True)), {self.other.pk})
        self.assertEqual(self.incident.status, Status.RESOLVED)
        self.assertTrue(IncidentLink.objects.filter(incident=self.incident, target=self.other).exists())

    def test_it_names_what_one_is_a_duplicate_of_already(self):
        third = make_incident(by=self.member, team=self.team)
        path = f"incidents/{self.incident.pk}/merge/"
        self.post(path, {"into": self.other.reference})

        answer = self.post(path, {"into": third.reference})

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "conflict"))
        self.assertIn(f"duplicate of {self.other.reference}", answer.json()["detail"])

    def test_it_refuses_what_cannot_be_merged(self):
        table = [
            (self.member, self.incident.pk, 400),
            (self.member, 10**9, 404),
            (self.member, "", 400),
            (self.outsider, self.other.pk, 403),
            (make_reporter(), self.other.pk, 404),
        ]
        for by, into, status in table:
            with self.subTest(by=by.name, into=into):
                answer = self.post(f"incidents/{self.incident.pk}/merge/", {"into": into}, by)

                self.assertEqual(answer.status_code, status, answer.content)
        self.assert_unmoved()

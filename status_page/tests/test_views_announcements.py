from django.test import TestCase

from incidents.tests.factories import make_incident, make_team, minutes, minutes_ago
from status_page.models import PublicIncident, PublicUpdate
from status_page.tests.factories import make_component, make_maintenance, make_page, make_public_incident
from users.tests.factories import client_of, make_admin, make_responder

INCIDENTS = "/api/v1/status/incidents/"
MAINTENANCE = "/api/v1/status/maintenance/"
NEW = {"title": "Checkout fails", "message": "We are looking into it.", "impact": "major_outage"}


class PublicIncidentTests(TestCase):
    def setUp(self):
        self.by = make_responder()
        self.api = client_of(self.by)
        make_page()

    def test_it_publishes_corrects_and_resolves(self):
        website = make_component()
        texts = {"de": {"title": "Kasse", "message": "Wir sehen nach."}}

        made = self.api.post(INCIDENTS, {**NEW, "components": [website.pk], "translations": texts})
        one = f"{INCIDENTS}{made.json()['id']}/"
        told = self.api.post(f"{one}updates/", {"message": "Fixed.", "state": "resolved"})
        correction = self.api.patch(f"{one}updates/{told.json()['id']}/", {"message": "Repaired."})
        shown = self.api.get(one)

        self.assertEqual((made.status_code, told.status_code, correction.status_code), (201, 201, 200))
        self.assertEqual(made.json()["translations"], {"de": {"title": "Kasse"}})
        self.assertEqual([one["message"] for one in shown.json()["updates"]], [NEW["message"], "Repaired."])
        self.assertEqual((shown.json()["state"], shown.json()["created_by"]), ("resolved", self.by.pk))
        self.assertEqual(shown["ETag"], f'"{shown.json()["version"]}"')

    def test_it_does_once_what_is_sent_twice(self):
        for _again in range(2):
            self.api.post(INCIDENTS, NEW, headers={"Idempotency-Key": "once"})

        self.assertEqual(PublicIncident.objects.count(), 1)

    def test_it_refuses_a_stale_change(self):
        row = make_public_incident(by=self.by)
        one, update = f"{INCIDENTS}{row.pk}/", row.updates.get()
        self.api.patch(f"{one}updates/{update.pk}/", {"message": "Better."})

        stale = [
            self.api.patch(one, {"title": "x"}, headers={"If-Match": '"1"'}),
            self.api.post(f"{one}updates/", {"message": "x"}, headers={"If-Match": '"1"'}),
            self.api.patch(f"{one}updates/{update.pk}/", {"message": "x"}, headers={"If-Match": '"1"'}),
        ]

        self.assertEqual([answer.status_code for answer in stale], [412] * 3)
        self.assertEqual(self.api.patch(one, {"title": "x"}, headers={"If-Match": '"2"'}).status_code, 200)

    def test_it_names_what_is_refused(self):
        for wrong, field in (
            ({"components": [999]}, "components"),
            ({"impact": "bad"}, "impact"),
            ({"state": "completed"}, "state"),
            ({"translations": {"fr": {"title": "x"}}}, "translations"),
            ({"starts_at": "2999-01-01T00:00:00Z"}, "starts_at"),
            ({"severity": "high"}, "severity"),
        ):
            with self.subTest(wrong):
                answer = self.api.post(INCIDENTS, {**NEW, **wrong})

                self.assertEqual((answer.status_code, answer.json()["errors"][0]["field"]), (400, field))

    def test_it_hides_a_restricted_incident(self):
        incident = make_incident(by=make_admin(), team=make_team("Database", make_responder()), is_restricted=True)
        row = make_public_incident(by=make_admin(), incident=incident)

        shown = self.api.get(f"{INCIDENTS}{row.pk}/").json()
        listed = self.api.get(INCIDENTS).json()["results"][0]
        found = self.api.get(INCIDENTS, {"incident": incident.pk}).json()["results"]
        told = client_of(make_admin()).get(INCIDENTS, {"incident": incident.reference}).json()["results"]

        self.assertEqual((shown["incident"], listed["incident"], found), (None, None, []))
        self.assertEqual(told[0]["incident"], incident.pk)
        self.assertEqual(self.api.post(INCIDENTS, {**NEW, "incident": str(incident.pk)}).status_code, 404)
        refused = self.api.patch(f"{INCIDENTS}{row.pk}/", {"title": "x"})
        self.assertEqual(refused.status_code, 403)
        self.assertNotIn(incident.reference, refused.content.decode())

    def test_it_filters(self):
        website = make_component()
        over = make_public_incident(state="resolved", impact="degraded")
        now = make_public_incident(components=[website])

        for query, expected in (
            ({"is_open": "true"}, [now.pk]),
            ({"state": "resolved,monitoring"}, [over.pk]),
            ({"impact": "degraded"}, [over.pk]),
            ({"component": website.pk}, [now.pk]),
            ({"starts_after": "2999-01-01T00:00:00Z"}, []),
        ):
            with self.subTest(query):
                found = self.api.get(INCIDENTS, query).json()["results"]

                self.assertEqual([one["id"] for one in found], expected)
        self.assertEqual(self.api.get(INCIDENTS, {"severity": "high"}).status_code, 400)

    def test_it_lists_at_a_constant_cost(self):
        incident = make_incident()
        make_public_incident(by=make_admin(), incident=incident, components=[make_component("A")])
        self.api.get(INCIDENTS)
        with self.assertNumQueries(3):
            self.api.get(INCIDENTS)
        for number in range(4):
            make_public_incident(by=make_admin(), incident=incident, components=[make_component(f"B{number}")])

        with self.assertNumQueries(3):
            found = self.api.get(INCIDENTS, {"page_size": 2}).json()

        self.assertEqual(len(found["results"]), 2)
        self.assertIsNotNone(found["next"])

    def test_it_keeps_maintenance_apart(self):
        row = make_maintenance(starts_at=minutes_ago(-5), ends_at=minutes_ago(-9))

        self.assertEqual(self.api.get(f"{INCIDENTS}{row.pk}/").status_code, 404)
        self.assertEqual(self.api.get(INCIDENTS).json()["results"], [])


class MaintenanceTests(TestCase):
    def setUp(self):
        self.by = make_responder()
        self.api = client_of(self.by)
        self.starts_at = minutes_ago(-60)
        times = {"starts_at": self.starts_at.isoformat(), "ends_at": (self.starts_at + minutes(30)).isoformat()}
        answer = self.api.post(MAINTENANCE, {"title": "Switches", "message": "Short interruptions.", **times})
        self.one = f"{MAINTENANCE}{answer.json()['id']}/"

    def test_it_plans(self):
        told = self.api.get(self.one).json()

        self.assertEqual((told["state"], told["impact"]), ("scheduled", "maintenance"))

    def test_it_moves_and_corrects_at_once(self):
        ends_at = (self.starts_at + minutes(90)).isoformat()

        told = self.api.patch(
            self.one,
            {"title": "Routers", "ends_at": ends_at, "message": "It takes longer.", "tell": False},
            headers={"If-Match": '"1"'},
        ).json()

        self.assertEqual((told["title"], told["updates"][-1]["message"]), ("Routers", "It takes longer."))
        self.assertIsNone(PublicUpdate.objects.last().tell_at)

    def test_it_refuses_a_message_without_new_times(self):
        self.assertEqual(self.api.patch(self.one, {"message": "x"}).status_code, 400)

    def test_it_does_not_go_back(self):
        self.api.post(f"{self.one}updates/", {"message": "Done.", "state": "completed"})

        answer = self.api.post(f"{self.one}updates/", {"message": "Again.", "state": "in_progress"})

        self.assertEqual((answer.status_code, answer.json()["allowed"]), (409, ["completed"]))

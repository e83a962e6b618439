import datetime as dt

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents import services
from incidents.services.redaction import REDACTED
from incidents.tests.factories import make_team
from paging import pages
from paging.models import Page
from paging.pages import Reach
from paging.services.by_hand import page_by_hand
from paging.tests.cases import PagingCase
from paging.tests.factories import critical, make_escalation, rota, run_jobs, step, target, told
from responders.models import EscalationPolicy
from tests.reported import reported_failure
from users.models import User
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

API = "/api/v1/"


class EscalationViewTests(PagingCase):
    def setUp(self) -> None:
        super().setUp()
        self.ana, self.ben = make_responder(name="Ana"), make_responder(name="Ben")

        def ways(users, importance, at):
            return {number: [Reach("push"), Reach("voice", 2)] for number in users if number != self.ben.pk}

        pages.register_reach(ways)

    def get(self, incident, user: User | None = None):
        return client_of(user or self.ben).get(f"{API}incidents/{incident.reference}/escalation/")

    def test_it_tells_who_was_paged_and_what_comes_next(self) -> None:
        make_escalation(step(rota(self.ana)), step(self.ben, delay=5), name="Database")
        incident = critical()
        before = self.get(incident).json()
        run_jobs(timezone.now() + dt.timedelta(seconds=5))

        found = self.get(incident).json()

        self.assertEqual((before["state"], before["policy"], before["pages"]), ("none", None, []))
        self.assertEqual((found["state"], found["step"], found["policy"]["name"]), ("running", 1, "Database"))
        self.assertEqual(
            [(page["user"], page["why"][:18]) for page in found["pages"]], [(self.ana.pk, "On call in Primary")]
        )
        self.assertEqual(found["next_step_at"], found["next"][0]["at"])
        self.assertEqual(
            [(one["step"], [who["name"] for who in one["users"]], one["methods"]) for one in found["next"]],
            [(2, ["Ben"], []), (None, [], [])],
        )

    def test_it_reads_no_more_for_a_long_plan(self) -> None:
        counts = []
        for repeat in (0, 9):
            schedule, delay = rota(self.ana, name=f"Rota {repeat}"), 30
            make_escalation(*(step(schedule, delay=delay) for _ in range(5)), repeat=repeat)
            incident = critical()
            run_jobs(timezone.now())
            with CaptureQueriesContext(connection) as queries:
                found = self.get(incident).json()
            counts.append((len(found["next"]), len(queries)))
            EscalationPolicy.objects.update(is_default=False)

        self.assertEqual([length for length, _ in counts], [6, 51])
        self.assertLessEqual(max(number for _, number in counts), 7)

    @reported_failure(15)
    def test_deleting_a_policy_lists_the_incidents_it_runs_for(self) -> None:
        policy = make_escalation(step(self.ana), step(self.ben, delay=5))
        incident = critical()
        run_jobs(timezone.now())
        admin, path = client_of(make_admin()), f"{API}escalation-policies/{policy.pk}/"

        refused = admin.delete(path)
        deleted = admin.delete(f"{path}?running_go_on=true")
        run_jobs(timezone.now() + dt.timedelta(minutes=6))

        self.assertEqual((refused.status_code, refused.json()["code"]), (409, "policy_running"))
        self.assertEqual(refused.json()["incidents"], [incident.reference])
        self.assertEqual((deleted.status_code, self.get(incident).json()["step"]), (204, 2))

    def test_it_tells_how_it_ended(self) -> None:
        make_escalation(step(self.ana))
        incident = critical()
        run_jobs(timezone.now())
        services.acknowledge(incident, by=self.ana)
        acknowledged = self.get(incident).json()

        services.resolve(incident, by=self.ana)
        run_jobs(timezone.now())
        other = critical()
        run_jobs(timezone.now() + dt.timedelta(minutes=1))
        run_jobs(timezone.now() + dt.timedelta(minutes=9))

        exhausted = self.get(other).json()
        self.assertEqual((acknowledged["state"], acknowledged["next"]), ("acknowledged", []))
        self.assertEqual(self.get(incident).json()["state"], "acknowledged")
        self.assertEqual((exhausted["state"], exhausted["alarm"]["reason"]), ("exhausted", "exhausted"))

    def test_it_pages_by_hand(self) -> None:
        incident = critical(team=make_team("Web", self.ben), by=make_admin())
        body = {"targets": [target(rota(self.ana))], "message": "Please look at the replicas"}

        answer = client_of(self.ben).post(f"{API}incidents/{incident.pk}/page/", body)

        page = Page.objects.get()
        self.assertEqual((answer.status_code, answer.json()[0]["name"]), (201, "Ana"), answer.json())
        self.assertTrue(page.why.startswith("Paged by Ben; on call in Primary"), page.why)
        self.assertEqual((page.user, page.by, page.message), (self.ana, self.ben, "Please look at the replicas"))
        self.assertEqual(told(incident), ["Ben paged Ana."])
        services.acknowledge(incident, by=self.ben)
        page.refresh_from_db()
        self.assertIsNotNone(page.cancelled_at)

    def test_it_removes_a_leaked_message_from_pages(self) -> None:
        incident = critical(team=make_team("Web", self.ben), by=make_admin())
        for message in ("hunter2 is the password", "Come"):
            page_by_hand(incident, [("user", self.ana.pk)], message, by=self.ben)
        leak = incident.events.get(body="hunter2 is the password")

        services.redact(leak, by=make_admin())

        self.assertEqual(list(Page.objects.values_list("message", flat=True)), [REDACTED, "Come"])

    def test_it_refuses_to_page_by_hand_in_vain(self) -> None:
        incident, client = critical(), client_of(self.ben)
        path = f"{API}incidents/{incident.pk}/page/"
        nobody = {"targets": [target(rota(name="Empty"))]}
        absent = {"targets": [{"kind": "user", "id": make_reporter().pk}]}

        empty, unknown = client.post(path, nobody), client.post(path, absent)
        services.resolve(incident, by=self.ben)
        over = client.post(path, {"targets": [target(self.ana)]})

        self.assertEqual((empty.status_code, empty.json()["code"]), (400, "nobody"))
        self.assertEqual((unknown.status_code, unknown.json()["errors"][0]["field"]), (400, "targets"))
        self.assertEqual((over.status_code, over.json()["code"]), (409, "incident_ended"))
        self.assertFalse(Page.objects.exists())

    def test_it_pages_nobody_who_cannot_see_a_restricted_incident(self) -> None:
        incident = critical(team=make_team("Web", self.ben), by=make_admin(), is_restricted=True)

        answer = client_of(self.ben).post(
            f"{API}incidents/{incident.pk}/page/", {"targets": [target(self.ana), target(self.ben)]}
        )

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "access_not_granted"))
        self.assertIn("Ana cannot see it", answer.json()["detail"])

    def test_it_simulates_a_policy(self) -> None:
        policy = make_escalation(step(rota(self.ana)), step(rota(name="Empty"), delay=5), step(self.ben, delay=10))

        answer = client_of(self.ben).post(f"{API}escalation-policies/{policy.pk}/simulate/", {"severity": "high"})

        found = answer.json()
        self.assertEqual(
            [(one["after_minutes"], one["user"], one["method"]) for one in found["notified"]],
            [(0, self.ana.pk, "push"), (2, self.ana.pk, "voice"), (5, self.ben.pk, None)],
        )
        self.assertEqual([(one["after_minutes"], one["step"]) for one in found["skipped"]], [(5, 2)])
        self.assertIn("has no way to be reached", found["notified"][2]["because"])
        self.assertEqual(found["gives_up_after_minutes"], 15)
        self.assertFalse(Page.objects.exists())

    def test_it_simulates_no_time_far_from_now(self) -> None:
        policy = make_escalation(step(self.ana))

        for at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
            answer = client_of(self.ben).post(f"{API}escalation-policies/{policy.pk}/simulate/", {"at": at})
            self.assertEqual(answer.status_code, 400, answer.content)

    @reported_failure(3)
    def test_it_simulates_what_then_happens(self) -> None:
        policy = make_escalation(step(rota(self.ana)), step(self.ben, delay=5))
        plan = client_of(self.ben).post(f"{API}escalation-policies/{policy.pk}/simulate/", {}).json()["notified"]
        incident = critical()

        for minutes in (0, 5):
            run_jobs(incident.created_at + dt.timedelta(minutes=minutes, seconds=2))

        happened = list(Page.objects.order_by("pk").values_list("user", "why"))
        self.assertEqual(list(dict.fromkeys((one["user"], one["because"].split(";")[0]) for one in plan)), happened)

    def test_a_routing_simulation_says_who_would_be_paged(self) -> None:
        make_escalation(step(self.ana))
        body = {"alert": {"title": "Disk full", "severity": "critical", "labels": {"host": "a"}}}

        found = client_of(make_admin()).post(f"{API}routes/simulate/", body).json()["alerts"][0]

        self.assertEqual(
            [(one["name"], one["method"]) for one in found["notified"]], [("Ana", "push"), ("Ana", "voice")]
        )

    def test_the_timeline_says_it_in_words(self) -> None:
        make_escalation(step(self.ana))
        incident = critical()
        run_jobs(timezone.now())

        events = client_of(self.ben).get(f"{API}incidents/{incident.pk}/timeline/").json()["results"]
        reporters = client_of(incident.reporter).get(f"{API}incidents/{incident.pk}/timeline/").json()["results"]

        self.assertEqual((events[1]["kind"], events[1]["message"]), ("paged", "Paged Ana (named directly)."))
        self.assertEqual(events[1]["actor"]["machine"]["kind"], "escalation")
        self.assertEqual([event["kind"] for event in reporters], ["created"])

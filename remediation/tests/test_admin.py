from django.test import TestCase
from django.urls import reverse

from incidents.admin.timeline import timeline_line
from incidents.tests.factories import make_incident, make_team
from remediation.models import Run, Stop
from remediation.services import stopping
from remediation.tests.factories import executing_run, fake, make_runbook, propose, work_off
from remediation.vocabulary import RunState
from users.tests.factories import make_admin, make_responder


class AdminTests(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin, self.ada = make_admin(), make_responder(name="Ada")
        self.incident = make_incident(by=self.admin, team=make_team("Web", self.ada))

    def act(self, run: Run, action: str) -> Run:
        body = {"action": action, "_selected_action": [run.pk]}
        self.client.post(reverse("admin:remediation_run_changelist"), body, follow=True)
        run.refresh_from_db()
        return run

    def test_it_rejects_through_the_service_and_approves_nothing_unseen(self) -> None:
        run = propose(self.incident, make_runbook("web", by=self.admin), by=self.ada)
        self.client.force_login(self.admin)

        self.assertEqual(self.act(run, "approve_selected").state, RunState.PROPOSED)
        self.assertEqual(self.act(run, "reject_selected").state, RunState.REJECTED)

    def test_the_timeline_names_the_runbook(self) -> None:
        propose(self.incident, make_runbook("web", by=self.admin, name="Restart web"), by=self.ada)

        event = self.incident.events.get(kind="run_proposed")

        self.assertEqual(timeline_line(event).changes, ["Restart web"])

    def test_it_shows_what_was_done(self) -> None:
        run = executing_run(self.incident, make_runbook("web-7", by=self.admin), by=self.ada)
        work_off()
        self.client.force_login(self.ada)

        page = self.client.get(reverse("admin:remediation_run_change", args=[run.pk]))

        for text in ("web-7", "All steps were done and verified.", "Roll back"):
            self.assertEqual(text in page.content.decode(), text != "Roll back", text)

    def test_it_hides_runs_of_restricted_incidents(self) -> None:
        secret = make_incident(by=self.admin, is_restricted=True)
        run = propose(secret, make_runbook("web", by=self.admin), by=self.admin)
        self.client.force_login(self.ada)

        page = self.client.get(reverse("admin:remediation_run_change", args=[run.pk]), follow=True)

        self.assertNotContains(page, run.digest)

    def test_it_stops_and_releases(self) -> None:
        self.client.force_login(self.admin)

        self.client.post(reverse("admin:remediation_stop_add"), {"reason": "Fire"})

        stop = Stop.objects.get()
        self.assertEqual((stop.reason, stop.stopped_by, stopping.present_stop()), ("Fire", self.admin, stop))
        body = {"action": "release_selected", "_selected_action": [stop.pk]}
        self.client.post(reverse("admin:remediation_stop_changelist"), body)
        self.assertIsNone(stopping.present_stop())

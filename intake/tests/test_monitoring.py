import datetime as dt

from django.test import TestCase, override_settings
from django.utils import timezone

from core.models import JobRun
from intake.models import IntakeEvent
from intake.vocabulary import IntakeState


def make_event(state, seconds_ago=0):
    moment = timezone.now() - dt.timedelta(seconds=seconds_ago)
    return IntakeEvent.objects.create(source=None, format="generic", body=b"{}", state=state, received_at=moment)


class IntakeCheckTests(TestCase):
    def test_it_is_not_ready_when_the_worker_is_behind_with_the_intake(self):
        for name in ("process_intake", "deliver_email"):  # a worker for each group of jobs
            JobRun.objects.create(name=name, started_at=timezone.now())
        table = {(59, IntakeState.WAITING): 200, (62, IntakeState.WAITING): 503, (999, IntakeState.FAILED): 200}
        for (seconds, state), status in table.items():
            with self.subTest(seconds=seconds, state=state):
                event = make_event(state, seconds)

                response = self.client.get("/readyz")

                self.assertEqual(response.status_code, status, response.content)
                event.delete()
        make_event(IntakeState.WAITING, 62)
        make_event(IntakeState.WAITING, 5)
        self.assertRegex(
            self.client.get("/readyz").content.decode(),
            r"intake: failed \(The oldest intake event has waited 6[23] seconds for the worker.\)",
        )

    @override_settings(METRICS_TOKEN="right-token")
    def test_it_counts_what_waits_and_what_failed(self):
        for state in (IntakeState.WAITING, IntakeState.FAILED, IntakeState.FAILED, IntakeState.DONE):
            make_event(state, seconds_ago=30)
        IntakeEvent.objects.filter(pk=make_event(IntakeState.FAILED).pk).update(dismissed_at=timezone.now())

        text = self.client.get("/metrics", headers={"Authorization": "Bearer right-token"}).content.decode()

        self.assertIn('incident_response_intake_events{state="waiting"} 1.0', text)
        self.assertIn('incident_response_intake_events{state="failed"} 2.0', text)
        self.assertRegex(text, r"incident_response_intake_wait_seconds 3[0-5]\.")

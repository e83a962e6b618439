import datetime as dt

from django.test import TestCase
from django.utils import timezone

from alerts.models import Silence
from alerts.tests.factories import fire, make_silence, make_source
from core.severity import Severity
from incidents.models import Incident
from paging.tests.factories import make_escalation, paged, run_jobs, step, told
from tests.reported import reported_failure
from users.tests.factories import make_responder


class SilencedTests(TestCase):
    def setUp(self) -> None:
        self.ana, self.ben = make_responder(name="Ana"), make_responder(name="Ben")
        make_escalation(step(self.ana), step(self.ben, delay=5))
        alert = fire(make_source(), "a", severity="critical", labels={"host": "db-3"})
        self.incident = Incident.objects.get(pk=alert.incident_id)
        self.assertEqual(self.incident.severity, Severity.CRITICAL)

    def after(self, minutes: float) -> None:
        run_jobs(self.incident.created_at + dt.timedelta(minutes=minutes))

    @reported_failure(16)
    def test_a_silence_stops_the_escalation_too_and_its_end_lets_it_go_on(self) -> None:
        make_silence(("host", "=", "db-3"))

        self.after(0.1)
        self.after(30)
        held = paged(self.incident)
        Silence.objects.update(ends_at=timezone.now() - dt.timedelta(seconds=1))
        self.after(32)

        self.assertEqual((held, paged(self.incident)[:1]), ([], ["Ana"]))
        self.assertEqual([text for text in told(self.incident) if "paused" in text], told(self.incident)[:1])

    def test_a_silence_of_something_else_holds_nothing(self) -> None:
        make_silence(("host", "=", "db-4"))

        self.after(0.1)

        self.assertEqual(paged(self.incident)[:1], ["Ana"])

from django.test import TestCase

from incidents.services import comment
from incidents.services.redaction import redact
from incidents.tests.factories import make_incident
from remediation.services import deciding
from remediation.steps.port import Outcome, OutcomeState
from remediation.tests.factories import executing_run, fake, make_runbook, propose, work_off
from users.tests.factories import make_admin

LEAK = "the customer's number is 4711"


class RedactingTests(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.admin = make_admin()
        self.incident = make_incident(by=self.admin)

    def test_it_removes_leaked_texts_from_runs_and_outputs(self) -> None:
        fake.answers["web", "check"] = Outcome(OutcomeState.DONE, f"host up, {LEAK}")
        run = executing_run(self.incident, make_runbook("web", by=self.admin), by=self.admin)
        work_off()
        other = propose(self.incident, make_runbook("db", by=self.admin), by=self.admin)
        deciding.reject(other, by=self.admin, reason=f"No: {LEAK}")
        leaked = comment(self.incident, LEAK, by=self.admin)

        redact(leaked, by=self.admin)

        other.refresh_from_db()
        self.assertEqual(run.phases.get(phase="check").output, "host up, [removed]")
        self.assertTrue(other.why.endswith("No: [removed]"))

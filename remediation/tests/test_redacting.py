from django.test import TestCase

from core.errors import Conflict
from incidents.services import comment
from incidents.services.redaction import redact
from incidents.tests.factories import make_incident
from remediation.services import deciding, executing, settling
from remediation.steps.port import Outcome, OutcomeState
from remediation.tests.factories import executing_run, fake, make_runbook, propose, unknown_run, work_off
from remediation.vocabulary import RunState
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
        found = unknown_run(self.incident, "cache", by=self.admin)
        settling.settle(found, by=self.admin, finding="acted", note=f"Seen: {LEAK}")
        leaked = comment(self.incident, LEAK, by=self.admin)

        redact(leaked, by=self.admin)

        other.refresh_from_db()
        self.assertEqual(run.phases.get(phase="check").output, "host up, [removed]")
        found.refresh_from_db()
        self.assertEqual(found.settled_note, "Seen: [removed]")
        self.assertTrue(other.why.endswith("No: [removed]"))

    def test_it_removes_what_was_filled_in_except_where_it_runs_now(self) -> None:
        parameters = [{"name": "who", "kind": "string", "pattern": ".{1,100}"}]
        for state, kept in ((RunState.APPROVED, "[removed]"), (RunState.EXECUTING, LEAK)):
            with self.subTest(state=state):
                runbook = make_runbook("web", by=self.admin, parameters=parameters)
                fake.targets = [f"account {LEAK}"]
                run = propose(self.incident, runbook, by=self.admin, who=LEAK)
                run = deciding.approve(run, by=self.admin, digest=run.digest)
                if state == RunState.EXECUTING:
                    executing.execute(run, by=self.admin)

                redact(comment(self.incident, LEAK, by=self.admin), by=self.admin)

                run.refresh_from_db()
                self.assertEqual(
                    (run.state, run.parameters["who"], run.targets.get().name), (state, kept, f"account {kept}")
                )
                if state == RunState.APPROVED:
                    with self.assertRaises(Conflict) as caught:
                        executing.execute(run, by=self.admin)
                    self.assertEqual(caught.exception.code, "targets_changed")

from django.test import TestCase

from incidents.tests.factories import make_incident
from remediation.monitoring import collect
from remediation.services import stopping
from remediation.tests.factories import fake, make_runbook, propose, settle, unknown_run
from users.tests.factories import make_admin


class MonitoringTests(TestCase):
    def test_it_counts_runs_and_tells_of_the_stop(self) -> None:
        fake.reset()
        admin = make_admin()
        propose(make_incident(by=admin), make_runbook("web", by=admin), by=admin)
        unknown_run(make_incident(by=admin), "db", by=admin)
        settle(unknown_run(make_incident(by=admin), "cache", by=admin), by=admin)
        stopping.stop(by=admin, reason="Fire")

        found = {
            sample.name.removeprefix("incident_response_remediation_"): sample
            for one in collect()
            for sample in one.samples
            if sample.labels.get("state") != "unknown"
        }

        self.assertEqual((found["runs"].labels, found["runs"].value), ({"state": "proposed"}, 1))
        self.assertEqual(found["unsettled_runs"].value, 1)
        self.assertEqual((found["stopped"].value, found["paused_runbooks"].value), (1, 0))

"""A rule in Splunk opens an incident, whose cause is suggested; an approved restart is verified."""

from incidents.models import Incident, Status
from remediation.models import Run
from remediation.vocabulary import RunState
from tests.tours.serving import TourCase


class SplunkRestartTests(TourCase):
    page = "splunk-restart.md"

    def test_it_leads_to_a_verified_restart(self) -> None:
        self.tour.run()

        run = Run.objects.select_related("incident").get(incident__title__startswith="Shop errors")
        self.assertEqual((run.state, run.incident.status), (RunState.VERIFIED, Status.RESOLVED))
        self.assertNotEqual(run.proposed_by_id, run.approved_by_id)
        self.assertEqual(Incident.objects.filter(title__startswith="Shop errors").count(), 1)

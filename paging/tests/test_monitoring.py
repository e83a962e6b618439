from django.utils import timezone

from core.severity import Severity
from paging import monitoring
from paging.models import EscalationAlarm
from paging.tests.cases import PagingCase
from paging.tests.factories import critical, run_jobs


class MetricsTests(PagingCase):
    def raised(self) -> float:
        return next(one.samples[0].value for one in monitoring.collect() if one.name.endswith("nobody_reached"))

    def test_it_counts_alarms_and_never_backwards(self) -> None:
        before = self.raised()
        for _ in range(2):
            critical(severity=Severity.CRITICAL)
        run_jobs(timezone.now())
        after = self.raised()

        EscalationAlarm.objects.earliest("pk").delete()

        self.assertEqual((before, after > before, self.raised()), (0, True, after))

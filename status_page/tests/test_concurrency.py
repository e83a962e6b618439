import datetime as dt

from django.utils import timezone

from core.errors import StaleVersion
from incidents.tests.factories import make_incident
from incidents.tests.test_concurrency import ConcurrencyTestCase, at_once
from status_page.models import ImpactSpan, PublicIncident, PublicUpdate
from status_page.services import maintenance, publishing
from status_page.services.page import the_page
from status_page.tests.factories import make_component, make_maintenance, make_public_incident
from users.tests.factories import make_admin


class AtOnceTests(ConcurrencyTestCase):
    def setUp(self):
        super().setUp()
        self.by, self.website = make_admin(), make_component()

    def test_it_writes_every_update_and_one_span(self):
        row = make_public_incident(by=self.by, incident=make_incident(), components=[self.website])
        before = the_page().revision

        results = at_once(
            *(
                lambda number=number: publishing.add_update(
                    row, by=self.by, message=f"Update {number}.", impact="degraded"
                )
                for number in range(4)
            )
        )

        self.assertEqual(self.failures(results), [])
        self.assertEqual(PublicUpdate.objects.count(), 5)
        self.assertEqual(ImpactSpan.objects.filter(ended_at=None).count(), 1)
        self.assertEqual(PublicIncident.objects.get().version, 5)
        self.assertEqual(the_page().revision, before + 4)

    def test_it_lets_one_correction_win(self):
        update = make_public_incident(by=self.by).updates.get()

        results = at_once(
            *(
                lambda text=text: publishing.correct_update(update, by=self.by, message=text, expected_version=1)
                for text in ("Better.", "Best.")
            )
        )

        self.assertEqual([type(one) for one in self.failures(results)], [StaleVersion])
        self.assertEqual(len(PublicUpdate.objects.get().earlier), 1)

    def test_it_takes_each_step_of_maintenance_once(self):
        starts_at = timezone.now() + dt.timedelta(minutes=1)
        make_maintenance(by=self.by, starts_at=starts_at, ends_at=starts_at + dt.timedelta(hours=1))

        results = at_once(*(lambda: maintenance.step_maintenance(starts_at) for _worker in range(3)))

        self.assertEqual(sum(results), 1)
        self.assertEqual(PublicUpdate.objects.count(), 2)

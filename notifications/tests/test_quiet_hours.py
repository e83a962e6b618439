import datetime as dt
from unittest import mock

from incidents.services import resolve
from notifications.models import Delivery
from notifications.tests.factories import at, make_method, make_page, make_rule
from notifications.tests.test_bundling import EngineCase
from notifications.vocabulary import State
from tests.reported import reported_failure
from users.tests.factories import make_admin

EVENING = dt.datetime(2026, 3, 2, 23, 0, tzinfo=dt.UTC)
MORNING = dt.datetime(2026, 3, 3, 7, 0, tzinfo=dt.UTC)
HOURS = {"from": "22:00", "to": "07:00"}


class QuietHoursTests(EngineCase):
    def setUp(self):
        super().setUp()
        method = make_method(self.ana)
        make_rule(self.ana, (method, 0), importance="low", quiet_hours=HOURS)
        make_rule(self.ana, (method, 0), importance="high", quiet_hours=HOURS)

    def page_at(self, moment, **fields):
        with at(moment):
            return make_page(self.ana, **fields)

    @reported_failure(16)
    def test_it_never_holds_high_importance(self):
        self.page_at(EVENING, importance="high")

        self.assertEqual(self.run_at(EVENING), 1)

    @reported_failure(16)
    def test_it_holds_low_importance_visibly_until_the_hours_end(self):
        page = self.page_at(EVENING, importance="low")

        self.assertEqual(self.run_at(EVENING), 0)

        row = Delivery.objects.get(page_id=page.pk)
        self.assertEqual((row.state, row.held_because, row.next_attempt_at), (State.HELD, "Quiet hours", MORNING))
        self.assertEqual(self.run_at(MORNING), 1)
        self.assertEqual(self.script.messages[0].incident, page.incident_id)

    @reported_failure(16)
    def test_it_tells_at_their_end_what_was_over_by_then(self):
        over, still = self.page_at(EVENING, importance="low"), self.page_at(EVENING, importance="low")
        with mock.patch("django.utils.timezone.now", lambda: EVENING + dt.timedelta(hours=1)):
            resolve(over.incident, by=make_admin())

        self.run_at(MORNING)

        titles = sorted(self.script.titles)
        self.assertEqual(titles[0], "During your quiet hours: 1 incident that is over")
        self.assertIn(still.incident.reference, titles[1])
        [note] = [message for message in self.script.messages if message.kind == "notice"]
        self.assertIn("(resolved)", note.lines[0])

    def test_it_says_nothing_when_nothing_was_over(self):
        self.page_at(EVENING, importance="low")

        self.assertEqual(self.run_at(MORNING), 1)

        self.assertEqual(Delivery.objects.get(kind="notice").state, State.CANCELLED)

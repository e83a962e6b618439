import datetime as dt

from django.test import TransactionTestCase, skipUnlessDBFeature

from core.db.tests.threads import at_once
from core.server.jobs import until_done
from notifications.models import Notification
from reviews.models import ActionItem, OverdueReport
from reviews.services.reminding import remind, report_overdue
from reviews.tests.factories import day, make_item, make_review
from users.tests.factories import make_admin, make_responder


@skipUnlessDBFeature("has_select_for_update_skip_locked")
class RaceTests(TransactionTestCase):
    def test_several_workers_remind_once(self) -> None:
        admin, owner = make_admin(), make_responder()
        review = make_review(by=admin)
        for number in range(20):
            make_item(review, by=admin, title=f"Item {number}", owner=owner)
        ActionItem.objects.update(due_on=dt.date(2026, 3, 10), remind_at=day(8, 9))
        Notification.objects.all().delete()

        at_once([lambda: until_done(lambda: remind(day(8, 9)), 100)] * 4)

        titles = list(Notification.objects.filter(user=owner).values_list("title", flat=True))
        self.assertEqual((len(titles), len(set(titles))), (20, 20))

    def test_several_workers_report_once(self) -> None:
        admin = make_admin()
        make_item(make_review(by=admin), by=admin, due_on=dt.date(2026, 1, 1))

        told = at_once([lambda: report_overdue(day(2, 9))] * 4)

        self.assertEqual(OverdueReport.objects.count(), 1)
        self.assertEqual(Notification.objects.filter(user=admin, title="1 action item is overdue").count(), 1, told)

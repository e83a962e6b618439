import datetime as dt
from typing import Any
from unittest import mock

from django.test import TestCase
from django.utils.translation.trans_real import DjangoTranslation

from incidents.services import delete
from incidents.tests.factories import make_incident
from notifications.models import Notification
from reviews.models import ActionItem, OverdueReport, Review
from reviews.services.editing import edit_review
from reviews.services.items import edit_item
from reviews.services.reminding import remind, remind_of_reviews, report_overdue
from reviews.tests.factories import day, make_item, make_review
from users.models import User
from users.tests.factories import make_admin, make_responder


def told(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("title", flat=True))


def marked(self: Any, text: str) -> str:
    return f"¤{text}" if self.language() == "de" else text


class ReviewReminderTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.owner = make_admin(), make_responder()
        self.incident = make_incident()
        self.review = make_review(self.incident, by=self.admin, owner=self.owner)
        Review.objects.filter(pk=self.review.pk).update(due_at=day(10), remind_at=day(8))

    def test_it_reminds_the_owner_once_each_time(self) -> None:
        counts = [remind_of_reviews(now) for now in (day(7), day(8), day(8), day(10), day(14), day(14))]

        self.assertEqual(counts, [0, 1, 0, 1, 1, 0])
        name = self.incident.reference
        self.assertEqual(
            told(self.owner),
            [
                f"The review of {name} is due on 10 Mar 2026",
                f"The review of {name} is due on 10 Mar 2026",
                f"The review of {name} was due on 10 Mar 2026",
            ],
        )
        self.assertEqual(Review.objects.get().remind_at, day(16))

    def test_it_reminds_in_the_language_of_the_reader(self) -> None:
        User.objects.filter(pk=self.owner.pk).update(language="de")

        with mock.patch.object(DjangoTranslation, "gettext", marked):
            remind_of_reviews(day(8))

        [title] = told(self.owner)
        self.assertTrue(title.startswith(f"¤The review of {self.incident.reference} is due on"), title)

    def test_it_reminds_the_administrators_where_the_owner_cannot_answer(self) -> None:
        User.objects.filter(pk=self.owner.pk).update(is_active=False)

        remind_of_reviews(day(8))

        self.assertEqual((len(told(self.admin)), told(self.owner)), (1, []))

    def test_it_leaves_deleted_incidents_alone(self) -> None:
        delete(self.incident, by=self.admin)

        remind_of_reviews(day(8))

        self.assertEqual((told(self.owner), Review.objects.get().remind_at), ([], day(10)))


class ItemReminderTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.ada, self.ben = make_admin(), make_responder(), make_responder(time_zone="Europe/Zurich")
        self.review = make_review(make_incident(), by=self.admin, owner=self.ada)
        self.item = make_item(self.review, by=self.admin, owner=self.ben, title="Watch it")
        due = {"due_on": dt.date(2026, 3, 10), "remind_at": day(8, 8)}
        ActionItem.objects.update(**due)
        Notification.objects.all().delete()

    def test_it_reminds_the_owner_once_each_time(self) -> None:
        moments = (day(8, 7), day(8, 8), day(8, 8), day(10, 8), day(17, 8), day(17, 9), day(24, 8))

        counts = [remind(now) for now in moments]

        self.assertEqual(counts, [0, 1, 0, 1, 1, 0, 1])
        ahead, late = (f"An action item {verb} due on 10 Mar 2026: Watch it" for verb in ("is", "was"))
        self.assertEqual(told(self.ben), [ahead, ahead, late, late])

    def test_it_catches_up_once_after_a_break(self) -> None:
        remind(day(20))

        self.assertEqual(len(told(self.ben)), 1)
        self.assertEqual(ActionItem.objects.get().remind_at, day(24, 8))

    def test_it_asks_others_where_the_owner_has_left(self) -> None:
        User.objects.filter(pk=self.ben.pk).update(is_active=False)
        remind(day(8, 8))
        User.objects.filter(pk=self.ada.pk).update(is_active=False)
        remind(day(10, 12))

        self.assertEqual([len(told(one)) for one in (self.ben, self.ada, self.admin)], [0, 1, 1])
        self.assertIn("can no longer answer", Notification.objects.get(user=self.ada).body)

    def test_it_ends_with_the_item(self) -> None:
        edit_item(self.item, by=self.ben, changes={"state": "done"})

        self.assertEqual(remind(day(20)), 0)


class OverdueReportTests(TestCase):
    def test_it_tells_the_administrators_once_on_monday(self) -> None:
        admin = make_admin()
        make_item(make_review(make_incident(), by=admin), by=admin, due_on=dt.date(2026, 3, 1))

        counts = [report_overdue(now) for now in (day(2, 8), day(2, 9), day(2, 10), day(4), day(9, 9))]

        self.assertEqual(counts, [0, 1, 0, 0, 1])
        self.assertEqual(told(admin), ["1 action item is overdue"] * 2)
        self.assertEqual(OverdueReport.objects.count(), 2)

    def test_it_says_nothing_where_nothing_is_overdue(self) -> None:
        edit_review(make_review(), by=make_admin(), changes={"summary": "x"})

        self.assertEqual(report_overdue(day(2, 9)), 0)

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.test import TestCase
from django.utils import timezone

from core.errors import Conflict, DomainError, PermissionRefused
from core.text.moments import shown
from incidents.tests.factories import make_incident, make_team
from notifications.models import Notification
from reviews.models import ActionItem
from reviews.reminding import morning_of
from reviews.services.items import add_item, edit_item, remove_item
from reviews.tests.factories import complete, make_item, make_review
from users.tests.factories import make_admin, make_responder

SOON = timezone.now().date() + dt.timedelta(days=10)


class ItemTests(TestCase):
    def setUp(self) -> None:
        self.ada, self.ben = make_responder(name="Ada"), make_responder(time_zone="Asia/Tokyo")
        self.review = make_review(make_incident(by=make_admin(), team=make_team("Web", self.ada)), by=self.ada)

    def edit(self, item: ActionItem, by: Any = None, **changes: Any) -> ActionItem:
        return edit_item(item, by=by or self.ada, changes=changes)

    def test_it_tells_the_owner_and_sets_the_reminder_by_their_clock(self) -> None:
        item = add_item(self.review, by=self.ada, title="Watch it", owner=self.ben, due_on=SOON)

        self.assertEqual(item.remind_at, morning_of(SOON - dt.timedelta(days=2), ZoneInfo("Asia/Tokyo")))
        told = Notification.objects.get(user=self.ben)
        self.assertEqual(told.title, f"Ada gave you an action item, due on {shown(SOON, 'date')}: Watch it")

    def test_the_owner_says_how_far_it_got_and_no_more(self) -> None:
        item = make_item(self.review, owner=self.ben, due_on=SOON)

        done = self.edit(item, self.ben, state="done", url="https://tracker.example/1")

        self.assertIsNotNone(done.finished_at)
        self.assertIsNone(done.remind_at)
        with self.assertRaises(PermissionRefused):
            self.edit(item, self.ben, title="Something else")
        with self.assertRaises(PermissionRefused):
            self.edit(item, make_responder(), state="open")
        self.assertIsNone(self.edit(item, state="open").finished_at)

    def test_it_refuses_what_it_cannot_hold(self) -> None:
        item = make_item(self.review)
        table = [
            ("title", " "),
            ("state", "never"),
            ("url", "javascript:alert(1)"),
            ("url", "https://x.example/" + "x" * 500),
            ("due_on", dt.date(1999, 1, 1)),
            ("due_on", "2026-01-01"),
            ("review", 1),
            ("owner", make_responder(is_active=False)),
        ]

        for name, value in table:
            with self.subTest(name=name, value=value), self.assertRaises(DomainError) as refused:
                self.edit(item, **{name: value})
            self.assertEqual(refused.exception.field, name)

    def test_an_owner_must_see_the_incident(self) -> None:
        hidden = make_review(make_incident(by=make_admin(), is_restricted=True))

        with self.assertRaises(DomainError):
            make_item(hidden, owner=self.ben)

    def test_a_completed_review_keeps_its_items(self) -> None:
        item = make_item(self.review, owner=self.ben, due_on=SOON)
        complete(self.review, by=self.ada)

        self.edit(item, state="in_progress", due_on=SOON + dt.timedelta(days=1), owner=self.ada)
        for changes in ({"title": "Another"}, {"owner": None}, {"due_on": None}):
            with self.subTest(changes), self.assertRaises(Conflict):
                self.edit(item, **changes)
        with self.assertRaises(Conflict):
            remove_item(item, by=self.ada)
        with self.assertRaises(Conflict):
            make_item(self.review)

    def test_it_removes_items_of_a_draft(self) -> None:
        remove_item(make_item(self.review), by=self.ada)

        self.assertFalse(ActionItem.objects.exists())

    def test_it_finds_those_overdue(self) -> None:
        past = make_item(self.review, due_on=dt.date(2026, 1, 1))
        make_item(self.review, due_on=SOON)
        self.edit(make_item(self.review, due_on=dt.date(2026, 1, 1)), state="dropped")

        self.assertEqual(list(ActionItem.objects.overdue(timezone.now().date())), [past])
        self.assertEqual(ActionItem.objects.visible_to(make_admin()).count(), 3)

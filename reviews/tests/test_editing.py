import datetime as dt

from django.test import TestCase
from django.utils import timezone

from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from incidents.tests.factories import kinds_of, make_incident, make_team
from notifications.models import Notification
from reviews.models import Factor, Review
from reviews.services import editing
from reviews.tests.factories import complete, make_item, make_review, make_rule
from status_page.models import StatusPage
from users.tests.factories import make_admin, make_responder


class EditReviewTests(TestCase):
    def setUp(self) -> None:
        self.ada, self.owner, self.outsider = make_responder(), make_responder(), make_responder()
        self.incident = make_incident(by=make_admin(), team=make_team("Web", self.ada))
        self.review = make_review(self.incident, owner=self.owner)

    def test_it_refuses_times_that_no_calendar_shows(self) -> None:
        first = dt.datetime(1, 1, 1, tzinfo=dt.UTC)

        with self.assertRaisesRegex(DomainError, "due_at"):
            editing.edit_review(self.review, by=self.ada, changes={"due_at": first})
        with self.assertRaisesRegex(DomainError, "at must"):
            editing.add_moment(self.review, by=self.ada, at=first, text="Long ago")

    def test_it_changes_what_was_sent(self) -> None:
        changes = {"title": " A\nname ", "summary": "It broke.\r\n", "themes": ["certificates", " certificates", ""]}

        editing.edit_review(self.review, by=self.ada, changes=changes)

        stored = Review.objects.get(pk=self.review.pk)
        self.assertEqual((stored.title, stored.summary, stored.themes), ("A name", "It broke.", ["certificates"]))
        self.assertEqual(stored.version, 2)

    def test_the_owner_edits_too_and_others_do_not(self) -> None:
        editing.edit_review(self.review, by=self.owner, changes={"summary": "x"})

        with self.assertRaises(PermissionRefused):
            editing.edit_review(self.review, by=self.outsider, changes={"summary": "y"})
        hidden = make_review(make_incident(by=make_admin(), is_restricted=True))
        with self.assertRaises(NotFound):
            editing.edit_review(hidden, by=self.outsider, changes={"summary": "y"})

    def test_it_refuses_what_it_cannot_hold(self) -> None:
        table = [
            ("nonsense", 1),
            ("title", ""),
            ("title", "x" * 201),
            ("summary", "x" * 20_001),
            ("summary", 5),
            ("themes", "words"),
            ("themes", ["x"] * 5 + [f"{number}" for number in range(21)]),
            ("public_translations", {"xx": {"text": "x"}}),
        ]

        for name, value in table:
            with self.subTest(name=name), self.assertRaises(DomainError) as refused:
                editing.edit_review(self.review, by=self.ada, changes={name: value})
            self.assertEqual(refused.exception.field, name)
        self.assertEqual(Review.objects.get(pk=self.review.pk).version, 1)

    def test_it_keeps_what_somebody_else_saved(self) -> None:
        editing.edit_review(self.review, by=self.ada, changes={"summary": "Mine"}, expected_version=1)

        with self.assertRaises(Conflict) as refused:
            editing.edit_review(self.review, by=self.owner, changes={"summary": "Yours"}, expected_version=1)

        self.assertEqual((refused.exception.code, refused.exception.extra), ("stale_version", {"version": 2}))

    def test_only_administrators_move_a_date_that_a_rule_set(self) -> None:
        Review.objects.filter(pk=self.review.pk).update(rule=make_rule(), due_at=timezone.now())
        later = timezone.now() + dt.timedelta(days=9)

        with self.assertRaises(PermissionRefused):
            editing.edit_review(self.review, by=self.ada, changes={"due_at": later})
        changed = editing.edit_review(self.review, by=make_admin(), changes={"due_at": later})

        self.assertEqual((changed.due_at, changed.remind_at), (later, later - dt.timedelta(days=2)))

    def test_it_takes_translations_of_the_status_pages_languages(self) -> None:
        StatusPage.objects.create(pk=1, languages=["en", "de"])
        texts = {"de": {"title": "Titel", "text": "Text"}}

        changed = editing.edit_review(self.review, by=self.ada, changes={"public_translations": texts})

        self.assertEqual(changed.public_translations, texts)
        with self.assertRaises(DomainError):
            editing.edit_review(self.review, by=self.ada, changes={"public_translations": {"en": {"text": "x"}}})


class MoveReviewTests(TestCase):
    def setUp(self) -> None:
        self.ada = make_responder()
        self.incident = make_incident(by=make_admin(), team=make_team("Web", self.ada))
        self.review = make_review(self.incident, by=self.ada)

    def test_it_names_what_lacks(self) -> None:
        make_item(self.review, title="Watch it")
        editing.move_review(self.review, by=self.ada, state="in_review")

        with self.assertRaises(editing.Incomplete) as refused:
            editing.move_review(self.review, by=self.ada, state="completed")

        self.assertEqual(
            refused.exception.extra["missing"],
            [
                "Write what happened.",
                "Name at least one contributing factor.",
                "“Watch it” has no owner.",
                "“Watch it” has no due date.",
            ],
        )

    def test_it_completes_and_reopens(self) -> None:
        complete(self.review, by=self.ada)
        with self.assertRaises(Conflict):
            editing.edit_review(self.review, by=self.ada, changes={"summary": "x"})
        editing.edit_review(self.review, by=self.ada, changes={"public_text": "Sorry."})

        reopened = editing.move_review(self.review, by=self.ada, state="draft")

        self.assertEqual((reopened.state, reopened.completed_at), ("draft", None))
        self.assertEqual(kinds_of(self.incident)[-3:], ["review_started", "review_completed", "review_reopened"])

    def test_it_refuses_steps_that_skip_one(self) -> None:
        with self.assertRaises(Conflict) as refused:
            editing.move_review(self.review, by=self.ada, state="completed")

        self.assertEqual(refused.exception.extra["allowed"], ["in_review"])

    def test_it_asks_the_reviewers(self) -> None:
        ben = make_responder()
        editing.add_participant(self.review, by=self.ada, user=ben, part="reviewer")

        editing.move_review(self.review, by=self.ada, state="in_review")

        told = Notification.objects.get(user=ben)
        self.assertEqual(told.title, f"{self.ada.name} asks you to read the review of {self.incident.reference}")


class PartsTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.ben = make_admin(), make_responder()
        self.incident = make_incident()
        self.review = make_review(self.incident, by=self.admin)

    def test_it_adds_edits_and_removes_moments(self) -> None:
        moment = editing.add_moment(self.review, by=self.admin, at=self.incident.created_at, text="It began.")
        editing.edit_moment(moment, by=self.admin, changes={"text": "It began here."})
        editing.remove_moment(moment, by=self.admin)

        self.assertEqual(Review.objects.get(pk=self.review.pk).version, 4)
        self.assertFalse(self.review.moments.filter(event=None).exists())

    def test_it_refuses_moments_of_the_future_and_of_other_timelines(self) -> None:
        later = timezone.now() + dt.timedelta(days=1)
        other = make_incident().events.get()

        for fields in ({"at": later}, {"at": self.incident.created_at, "event": other}):
            with self.subTest(fields), self.assertRaises(DomainError):
                editing.add_moment(self.review, by=self.admin, text="x", **fields)

    def test_it_appends_factors(self) -> None:
        for text in ("One", "Two"):
            editing.add_factor(self.review, by=self.admin, text=text)
        second = Factor.objects.get(text="Two")
        editing.edit_factor(second, by=self.admin, changes={"position": 0, "text": "Zero"})

        self.assertEqual(list(self.review.factors.values_list("text", "position")), [("One", 0), ("Zero", 0)])
        editing.remove_factor(second, by=self.admin)
        with self.assertRaises(NotFound):
            editing.remove_factor(second, by=self.admin)

    def test_it_lists_somebody_once_for_each_part(self) -> None:
        first = editing.add_participant(self.review, by=self.admin, user=self.ben, part="interviewed", notes="Said")
        editing.edit_participant(first, by=self.admin, changes={"notes": "Said more"})

        with self.assertRaises(DomainError):
            editing.add_participant(self.review, by=self.admin, user=self.ben, part="interviewed")
        editing.remove_participant(first, by=self.admin)

    def test_it_bounds_what_a_review_holds(self) -> None:
        Factor.objects.bulk_create(Factor(review=self.review, text="x") for _ in range(editing.MAX_FACTORS))

        with self.assertRaises(DomainError) as refused:
            editing.add_factor(self.review, by=self.admin, text="x")

        self.assertEqual(refused.exception.code, "too_many")

    def test_only_administrators_delete_reviews(self) -> None:
        with self.assertRaises(PermissionRefused):
            editing.delete_review(self.review, by=self.ben)

        editing.delete_review(self.review, by=self.admin)

        self.assertFalse(Review.objects.exists())

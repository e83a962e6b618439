import datetime as dt

from django.test import TestCase

from core.severity import Severity
from incidents.models import IncidentEvent
from incidents.services import assign_person, resolve, transition, update
from incidents.tests.factories import make_incident, make_team
from notifications.models import Notification
from reviews.models import Review
from reviews.tests.factories import complete, make_review, make_rule, read_feed
from users.tests.factories import make_admin, make_responder


class RequireReviewsTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.ada = make_admin(), make_responder()
        self.team = make_team("Web", self.ada)
        self.rule = make_rule(within_days=5)
        self.incident = make_incident(by=self.admin, team=self.team, severity=Severity.HIGH)

    def resolved(self) -> Review | None:
        resolve(self.incident, by=self.admin)
        read_feed()
        self.incident.refresh_from_db()
        return Review.objects.filter(incident=self.incident).first()

    def test_it_requires_the_review_of_what_a_rule_matches(self) -> None:
        assign_person(self.incident, self.ada, by=self.admin)

        review = self.resolved()

        self.assertEqual((review.rule, review.owner, review.state), (self.rule, self.ada, "draft"))
        self.assertEqual(review.due_at, self.incident.resolved_at + dt.timedelta(days=5))
        self.assertEqual(review.remind_at, review.due_at - dt.timedelta(days=2))
        self.assertTrue(review.moments.exists())
        told = Notification.objects.get(title__contains="needs a review")
        self.assertEqual((told.user, told.path), (self.ada, f"/reviews/{review.pk}/"))

    def test_it_tells_the_team_where_nobody_owns_it(self) -> None:
        self.resolved()

        told = Notification.objects.filter(title__contains="needs a review")
        self.assertEqual({one.user for one in told}, {self.ada, self.admin})

    def test_it_requires_nothing_else(self) -> None:
        low = make_incident(severity=Severity.MEDIUM)
        other = make_rule(min_severity=Severity.LOW, team=make_team("Other"))
        make_rule(min_severity=Severity.LOW, is_enabled=False)
        resolve(low, by=self.admin)

        read_feed()

        self.assertFalse(Review.objects.exists(), other)

    def test_the_soonest_rule_wins(self) -> None:
        soon = make_rule(min_severity=Severity.MEDIUM, team=self.team, within_days=2)

        self.assertEqual(self.resolved().rule, soon)

    def test_it_requires_one_whose_severity_was_raised_later(self) -> None:
        low = make_incident(severity=Severity.LOW)
        resolve(low, by=self.admin)
        read_feed()
        update(low, by=self.admin, fields={"severity": Severity.CRITICAL})

        read_feed()

        self.assertEqual(Review.objects.get().incident, low)

    def test_it_sets_the_date_of_a_review_that_somebody_began(self) -> None:
        begun = make_review(self.incident, by=self.admin)

        review = self.resolved()

        self.assertEqual((review, review.rule), (begun, self.rule))
        self.assertIsNotNone(review.due_at)

    def test_a_reopened_incident_keeps_its_review_and_gets_a_new_date(self) -> None:
        first = self.resolved()
        transition(self.incident, "open", by=self.admin, note="Again")
        read_feed()
        waiting = Review.objects.get()

        again = self.resolved()

        self.assertEqual((waiting.due_at, waiting.remind_at), (None, None))
        self.assertEqual(again.pk, first.pk)
        self.assertEqual(again.due_at, self.incident.resolved_at + dt.timedelta(days=5))
        self.assertGreater(again.due_at, first.due_at)

    def test_a_completed_review_is_left_alone(self) -> None:
        done = complete(self.resolved())
        transition(self.incident, "open", by=self.admin, note="Again")

        again = self.resolved()

        self.assertEqual((again.state, again.due_at), ("completed", done.due_at))

    def test_imported_history_requires_nothing(self) -> None:
        resolve(self.incident, by=self.admin)
        IncidentEvent.objects.update(feed_seq=0)

        read_feed()

        self.assertFalse(Review.objects.exists())

    def test_the_drafts_notices_keep_a_restricted_incident_to_those_who_see_it(self) -> None:
        hidden = make_incident(by=self.admin, severity=Severity.CRITICAL, is_restricted=True)
        resolve(hidden, by=self.admin)

        read_feed()

        self.assertEqual({one.user for one in Notification.objects.filter(incident=hidden)}, {self.admin})

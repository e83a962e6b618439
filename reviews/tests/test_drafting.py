from typing import Any

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext

from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from core.severity import Severity
from incidents.models import Incident, IncidentEvent, Origin, Visibility
from incidents.services import acknowledge, assign_person, comment, history, redact, resolve
from incidents.tests.factories import kinds_of, make_incident, make_service, make_team
from reviews.models import Moment, Review
from reviews.narrative import MOST_MOMENTS
from reviews.services.drafting import add_moments, start_review
from reviews.tests.factories import complete, make_review
from users.tests.factories import make_admin, make_reporter, make_responder


class StartReviewTests(TestCase):
    def setUp(self) -> None:
        self.ada, self.ben, self.reporter = make_responder(name="Ada"), make_responder(name="Ben"), make_reporter()
        self.team = make_team("Web", self.ada, self.ben)
        self.incident = self.report(title="Shop down", severity=Severity.CRITICAL)

    def report(self, **fields: Any) -> Incident:
        incident = make_incident(by=self.reporter, **fields)
        Incident.objects.filter(pk=incident.pk).update(team=self.team)  # without an event of its own
        return incident

    def test_it_drafts_moments_from_the_timeline(self) -> None:
        acknowledge(self.incident, by=self.ada)
        comment(self.incident, "The certificate expired.", by=self.ben, visibility=Visibility.INTERNAL)
        comment(self.incident, "Metrics attached.", by=None)
        resolve(self.incident, by=self.ada, note="Renewed it.")

        review = start_review(self.incident, by=self.ada)

        told = [(moment.event.kind, moment.text) for moment in review.moments.select_related("event")]
        self.assertEqual(
            told,
            [
                ("created", f"{self.reporter.name} reported the incident."),
                ("acknowledged", "Ada acknowledged the incident."),
                ("comment", "Ben wrote:\n\nThe certificate expired."),
                ("resolved", "Ada resolved the incident.\n\nRenewed it."),
            ],
        )
        self.assertTrue(all(moment.at == moment.event.occurred_at for moment in review.moments.all()))

    def test_it_fills_in_title_facts_people_and_owner(self) -> None:
        self.incident.services.add(make_service("shop"))
        assign_person(self.incident, self.ben, by=self.ada)
        resolve(self.incident, by=self.ada)
        self.incident.refresh_from_db()

        review = start_review(self.incident, by=self.ada)

        self.assertEqual((review.title, review.owner), (f"INC-{self.incident.pk} Shop down", self.ben))
        self.assertIn("- Duration: 0 h 0 min\n- Severity: Critical\n- Services: Shop", review.impact)
        self.assertEqual({one.user for one in review.participants.all()}, {self.reporter, self.ada})
        self.assertEqual((review.state, review.due_at, review.created_by), ("draft", None, self.ada))

    def test_it_is_on_the_timeline_of_those_who_work_on_it(self) -> None:
        start_review(self.incident, by=self.ada)

        event = self.incident.events.get(kind="review_started")
        self.assertEqual((event.visibility, event.actor), (Visibility.INTERNAL, self.ada))
        self.assertIsNone(history.verify(self.incident))

    def test_it_costs_the_same_for_the_longest_timeline(self) -> None:
        other = self.report()
        first = other.events.get()
        IncidentEvent.objects.bulk_create(
            IncidentEvent(
                incident=other,
                seq=number,
                kind=("comment", "acknowledged", "resumed", "paged", "field_changed")[number % 5],
                actor=self.ada,
                actor_name="Ada",
                origin=Origin.API,
                occurred_at=first.occurred_at,
                received_at=first.received_at,
                body="x" * 100,
            )
            for number in range(2, 10_001)
        )
        Incident.objects.filter(pk=other.pk).update(event_count=10_000)
        other.refresh_from_db()

        with CaptureQueriesContext(
            connection,
        ) as short:
            start_review(self.incident, by=self.ada)
        with CaptureQueriesContext(connection) as long:
            review = start_review(other, by=self.ada)

        self.assertEqual(review.moments.count(), MOST_MOMENTS)
        self.assertEqual(review.moments.first().event.seq, 1)
        self.assertLessEqual(len(long), len(short) + 8)

    def test_it_refuses_whom_it_does_not_concern(self) -> None:
        outsider = make_responder()
        hidden = self.report(is_restricted=True)

        with self.assertRaises(PermissionRefused):
            start_review(self.incident, by=outsider)
        with self.assertRaises(PermissionRefused):
            start_review(self.incident, by=self.reporter)
        with self.assertRaises(NotFound):
            start_review(hidden, by=outsider)
        with self.assertRaises(DomainError) as refused:
            start_review(hidden, by=self.ada, owner=outsider)
        self.assertEqual(refused.exception.field, "owner")
        self.assertFalse(Review.objects.exists())

    def test_it_makes_one_review_for_an_incident(self) -> None:
        review = start_review(self.incident, by=self.ada)

        with self.assertRaises(Conflict) as refused:
            start_review(self.incident, by=self.ada)

        self.assertEqual((refused.exception.code, refused.exception.extra), ("already_exists", {"review": review.pk}))
        self.assertEqual(kinds_of(self.incident).count("review_started"), 1)

    def test_it_copies_nothing_that_was_redacted(self) -> None:
        leak = comment(self.incident, "hunter2", by=self.ada)
        redact(leak, by=make_admin())

        review = start_review(self.incident, by=self.ada)

        self.assertNotIn("comment", [moment.event.kind for moment in review.moments.all()])


class AddMomentsTests(TestCase):
    def test_it_adds_what_the_draft_left_out(self) -> None:
        incident, admin = make_incident(), make_admin()
        review = make_review(incident, by=admin)
        event = comment(incident, "The disk was full.", by=admin)
        started = incident.events.get(seq=1)

        added = add_moments(review, [event.pk, started.pk], by=admin)

        self.assertEqual([moment.text for moment in added], [f"{admin.name} wrote:\n\nThe disk was full."])
        self.assertEqual(Review.objects.get(pk=review.pk).version, 2)

    def test_it_refuses_events_of_other_incidents_and_completed_reviews(self) -> None:
        admin, review = make_admin(), make_review()
        event = make_incident().events.get()

        with self.assertRaises(DomainError):
            add_moments(review, [event.pk], by=admin)
        complete(review)
        with self.assertRaises(Conflict):
            add_moments(review, [], by=admin)
        self.assertFalse(Moment.objects.filter(event=event).exists())

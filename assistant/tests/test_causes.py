import datetime as dt
from typing import Any

from django.test import TestCase
from django.utils import timezone

from alerts.models import ChangeEvent
from alerts.tests.factories import fire, make_route, make_source
from assistant.services.causes import causes_of
from assistant.services.gathering import known_of
from assistant.services.suggesting import suggestions_of
from assistant.suggestions import Cause, Similar
from assistant.vocabulary import EvidenceKind
from incidents.models import Incident, LinkKind, Status
from incidents.services import link, transition
from incidents.tests.factories import make_incident, make_service
from logs.lines import Line
from logs.tests.factories import make_lines
from logs.vocabulary import Level
from responders.models import Service
from reviews.services.editing import add_factor
from reviews.tests.factories import make_review
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

Minutes = float


def change(summary: str, minutes_before: Minutes, service: Service | None = None) -> ChangeEvent:
    at = timezone.now() - dt.timedelta(minutes=minutes_before)
    return ChangeEvent.objects.create(summary=summary, service=service, occurred_at=at, received_at=at)


def log(service: str, message: str, minutes_ago: Minutes, level: Level = Level.ERROR) -> Any:
    at = timezone.now() - dt.timedelta(minutes=minutes_ago)
    [row] = make_lines(Line(message, timestamp=at, level=level, service=service))
    return row


def causes(incident: Incident, viewer: User, similar: tuple[Similar, ...] = ()) -> tuple[Cause, ...]:
    return causes_of(known_of(incident), viewer, similar)


class CausesTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.responder = make_responder()
        cls.service = make_service()
        cls.incident = make_incident(title="Payments answer with errors", services=[cls.service])

    def test_it_names_the_change_before_the_start_first(self) -> None:
        culprit = change("Deploy payments 4.2", 20, self.service)
        change("Deploy search 9.1", 2, make_service("search"))

        first, *_rest = causes(self.incident, self.responder)

        self.assertEqual(first.id, f"cause-change-{culprit.pk}")
        self.assertEqual(first.hypothesis, "The change “Deploy payments 4.2” to Payments, 20 min before the start.")
        self.assertEqual([(one.kind, one.id) for one in first.evidence], [(EvidenceKind.CHANGE, culprit.pk)])

    def test_it_names_a_new_error_of_the_service(self) -> None:
        for number in range(60):
            log("payments", f"request {number} done", 20 + number * 4, Level.INFO)
        rows = [log("payments", f"pool exhausted after {number} s", 1) for number in range(6)]
        log("search", "index is gone", 1)

        [cause] = [one for one in causes(self.incident, self.responder) if one.id.startswith("cause-template")]

        self.assertIn("pool exhausted after <*> s", cause.hypothesis)
        self.assertEqual([one.id for one in cause.evidence], [rows[0].pk] * 2)

    def test_it_names_counts_out_of_the_ordinary(self) -> None:
        for number in range(40):
            log("payments", "slow query", 10 + number * 5, Level.WARNING)
        for _number in range(30):
            log("payments", "slow query", 1, Level.WARNING)

        ids = [one.id.rpartition("-")[0] for one in causes(self.incident, self.responder)]

        self.assertIn("cause-anomaly", ids)

    def test_it_tells_how_a_similar_incident_ended(self) -> None:
        earlier = make_incident(title="Payments answer with errors")
        transition(earlier, Status.RESOLVED, by=make_admin(), note="Restarted the pool")
        similar = Similar(earlier.pk, earlier.reference, earlier.title, 0.8, ())

        [cause] = causes(self.incident, self.responder, (similar,))

        self.assertEqual(cause.hypothesis, f"As in {earlier.reference}, which was resolved with: “Restarted the pool”")
        self.assertEqual(cause.incident, earlier.pk)

    def test_it_takes_no_duplicate_for_a_cause(self) -> None:
        original, earlier = make_incident(title="Pool is empty"), make_incident(title="Payments answer with errors")
        link(earlier, original, LinkKind.DUPLICATE_OF, by=make_admin())
        similar = Similar(earlier.pk, earlier.reference, earlier.title, 0.8, ())

        earlier.refresh_from_db()
        self.assertEqual(earlier.status, Status.RESOLVED)
        self.assertEqual(causes(self.incident, self.responder, (similar,)), ())

    def test_it_prefers_what_the_review_of_a_similar_incident_names(self) -> None:
        earlier = make_incident(title="Payments answer with errors")
        admin = make_admin()
        transition(earlier, Status.RESOLVED, by=admin, note="Restarted the pool")
        add_factor(make_review(earlier), by=admin, text="The pool was too small")
        similar = Similar(earlier.pk, earlier.reference, earlier.title, 0.8, ())

        [cause] = causes(self.incident, self.responder, (similar,))

        self.assertIn("The pool was too small", cause.hypothesis)

    def test_it_names_the_alert_that_came_first(self) -> None:
        source, now = make_source(), timezone.now()
        make_route(group_by=["cluster"])
        first = fire(
            source, "db", title="Database is down", labels={"cluster": "a"}, starts_at=now - dt.timedelta(minutes=9)
        )
        fire(source, "web", title="Web fails", labels={"cluster": "a"}, starts_at=now - dt.timedelta(minutes=4))

        [cause] = causes(first.incident, self.responder)

        self.assertEqual(cause.hypothesis, "The alert “Database is down” came first, 5 min before 1 other.")
        self.assertEqual(cause.evidence[0].id, first.pk)

    def test_it_says_nothing_where_nothing_is_known(self) -> None:
        self.assertEqual(causes(self.incident, self.responder), ())

    def test_it_tells_reporters_no_causes(self) -> None:
        reporter = make_reporter()
        incident = make_incident(by=reporter, title="Payments answer with errors", services=[self.service])
        change("Deploy payments 4.2", 20, self.service)

        self.assertEqual(suggestions_of(incident, reporter, timezone.now()).causes, ())
        self.assertEqual(len(suggestions_of(incident, self.responder, timezone.now()).causes), 1)

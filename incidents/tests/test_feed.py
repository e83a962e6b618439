from collections.abc import Callable
from unittest import mock

from django.db import OperationalError
from django.test import TestCase
from structlog.testing import capture_logs

from core.server import jobs as server_jobs
from incidents import jobs
from incidents.models import FeedCursor, IncidentEvent
from incidents.services import comment, feed
from incidents.tests.factories import MONDAY, make_incident
from tests.reported import reported_failure


def places() -> list[int | None]:
    """The places of all events, in the order in which they were inserted."""
    return list(IncidentEvent.objects.order_by("id").values_list("feed_seq", flat=True))


class AssignTests(TestCase):
    def test_it_numbers_events_without_holes(self) -> None:
        incident = make_incident()
        for number in range(6):
            comment(incident, f"{number}", by=None)

        self.assertEqual([feed.assign_places(limit=3) for _ in range(4)], [3, 3, 1, 0])

        self.assertEqual(places(), [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(FeedCursor.objects.get(name=feed.HEAD).position, 7)

    def test_it_goes_on_where_it_stopped(self) -> None:
        incident = make_incident()
        jobs.assign_feed(MONDAY)
        comment(incident, "Later", by=None)

        self.assertEqual(jobs.assign_feed(MONDAY), 1)

        self.assertEqual(places(), [1, 2])
        self.assertEqual(jobs.assign_feed(MONDAY), 0)

    def test_it_wakes_the_numbering_with_each_change_and_its_followers_once_something_was_numbered(self) -> None:
        woken: list[frozenset[str]] = []
        self.enterContext(mock.patch.object(server_jobs, "_wakers", [woken.append]))
        self.enterContext(mock.patch.object(feed, "_followers", {}))
        feed.register_follower("follow", but_for=["comment"])
        feed.register_follower("follow all")

        with self.captureOnCommitCallbacks(execute=True):
            make_incident()
        changed, woken[:] = list(woken), []
        with self.captureOnCommitCallbacks(execute=True):
            feed.assign_places()
            feed.assign_places()

        self.assertEqual((set(changed), woken), ({frozenset({"assign_feed"})}, [{"follow", "follow all"}]))

    def test_it_does_not_wake_a_follower_for_kinds_that_do_not_concern_it(self) -> None:
        woken: list[frozenset[str]] = []
        incident = make_incident()
        feed.assign_places()
        self.enterContext(mock.patch.object(server_jobs, "_wakers", [woken.append]))
        self.enterContext(mock.patch.object(feed, "_followers", {}))
        feed.register_follower("follow", but_for=["comment"])
        feed.register_follower("follow all")
        comment(incident, "Not for everybody", by=None)
        woken.clear()

        with self.captureOnCommitCallbacks(execute=True):
            feed.assign_places()

        self.assertEqual(woken, [frozenset({"follow all"})])

    def test_it_asks_once_and_locks_nothing_while_a_reader_is_up_to_date(self) -> None:
        make_incident()
        feed.assign_places()
        feed.consume("reader", lambda events: None)

        with self.assertNumQueries(1):
            done = feed.consume("reader", lambda events: None)

        self.assertEqual(done, 0)

    def test_it_passes_history_over(self) -> None:
        incident = make_incident()
        IncidentEvent.objects.update(feed_seq=0)
        comment(incident, "New", by=None)

        feed.assign_places()

        self.assertEqual(places(), [0, 1])
        self.assertEqual([event.body for event in IncidentEvent.objects.feed_after(0)], ["New"])

    def test_it_delivers_what_was_committed_late(self) -> None:
        """Its id was handed out first, its transaction ended last."""
        incident = make_incident()
        late = comment(incident, "Late", by=None)
        IncidentEvent.objects.filter(pk=late.pk).update(feed_seq=0)  # out of sight, as if not committed
        comment(incident, "Early", by=None)
        feed.assign_places()
        seen: list[str] = []
        feed.consume("reader", lambda events: seen.extend(event.body for event in events))
        IncidentEvent.objects.filter(pk=late.pk).update(feed_seq=None)

        feed.assign_places()
        feed.consume("reader", lambda events: seen.extend(event.body for event in events))

        self.assertEqual(seen, ["", "Early", "Late"])

    def test_it_tells_since_when_events_wait(self) -> None:
        self.assertIsNone(feed.oldest_waiting())
        make_incident()
        oldest = IncidentEvent.objects.get().received_at
        make_incident()

        self.assertEqual(feed.oldest_waiting(), oldest)

        feed.assign_places()
        self.assertIsNone(feed.oldest_waiting())


class ConsumeTests(TestCase):
    def setUp(self) -> None:
        self.incident = make_incident()
        for number in range(4):
            comment(self.incident, f"{number}", by=None)
        feed.assign_places()
        self.seen: list[int | None] = []

    def take(self, events: list[IncidentEvent]) -> None:
        self.seen += [event.feed_seq for event in events]

    def test_it_hands_each_event_over_once_and_in_order(self) -> None:
        taken = [feed.consume("reader", self.take, limit=2) for _ in range(4)]

        self.assertEqual(taken, [2, 2, 1, 0])
        self.assertEqual(self.seen, [1, 2, 3, 4, 5])
        self.assertEqual(FeedCursor.objects.get(name="reader").position, 5)

    def test_it_keeps_readers_apart(self) -> None:
        feed.consume("reader", self.take)
        feed.consume("other", self.take)

        self.assertEqual(self.seen, [1, 2, 3, 4, 5] * 2)

    def test_it_hands_the_same_over_again_after_a_failure(self) -> None:
        def fail(events: list[IncidentEvent]) -> None:
            comment(self.incident, "Half done", by=None)
            raise RuntimeError("the reader broke")

        with self.assertRaises(feed.EventsFailed):
            feed.consume("reader", fail)
        self.assertFalse(IncidentEvent.objects.filter(body="Half done").exists())
        self.assertEqual(FeedCursor.objects.get(name="reader").position, 0)

        feed.consume("reader", self.take)
        self.assertEqual(self.seen, [1, 2, 3, 4, 5])

    def fail_at(self, *bad: int) -> Callable[[list[IncidentEvent]], None]:
        """A reader that cannot handle some places."""

        def handle(events: list[IncidentEvent]) -> None:
            self.take(events)
            if any(event.feed_seq in bad for event in events):
                raise RuntimeError("poison")

        return handle

    @reported_failure(10)
    def test_it_goes_on_after_an_event_that_cannot_be_handled(self) -> None:
        with capture_logs() as logs, self.assertRaisesMessage(feed.EventsFailed, "1 of 5 events failed"):
            feed.consume("reader", self.fail_at(2))

        bad = IncidentEvent.objects.get(feed_seq=2)
        errors = [line for line in logs if line["event"] == "feed_event_failed"]
        self.assertEqual([(line["reader"], line["incident"]) for line in errors], [("reader", bad.incident_id)])
        self.assertEqual(FeedCursor.objects.get(name="reader").position, 5)
        self.assertEqual(self.seen, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5])

    def test_it_hands_a_last_event_that_failed_over_again_until_a_later_one_succeeds(self) -> None:
        for _ in range(2):
            with self.assertRaises(feed.EventsFailed):
                feed.consume("reader", self.fail_at(5))
            self.assertEqual(FeedCursor.objects.get(name="reader").position, 4)
        comment(self.incident, "Later", by=None)
        feed.assign_places()

        with self.assertRaises(feed.EventsFailed):
            feed.consume("reader", self.fail_at(5))

        self.assertEqual(FeedCursor.objects.get(name="reader").position, 6)

    def test_it_hands_over_one_by_one_nothing_while_the_database_is_away(self) -> None:
        def fail(events: list[IncidentEvent]) -> None:
            self.take(events)
            raise OperationalError(2006, "gone")

        with self.assertRaises(OperationalError):
            feed.consume("reader", fail)

        self.assertEqual(self.seen, [1, 2, 3, 4, 5])

    def test_it_hands_over_nothing_that_waits(self) -> None:
        feed.consume("reader", self.take)
        comment(self.incident, "Waiting", by=None)

        self.assertEqual(feed.consume("reader", self.take), 0)

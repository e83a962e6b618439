"""Many people and workers at once, with real threads and real commits."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

from core.errors import Conflict, InvalidTransition, StaleVersion
from core.severity import Severity
from incidents.models import FeedCursor, Incident, IncidentEvent, IncidentLink, LinkKind, Subscription
from incidents.services import (
    acknowledge,
    assign_team,
    comment,
    feed,
    history,
    link,
    subscribe,
    tallies,
    transition,
    unlink,
    update,
)
from incidents.services.breaches import mark_breach
from incidents.tests.factories import MONDAY, kinds_of, make_incident, make_policy, make_team, minutes
from incidents.tests.test_tallies import grouped, kept
from users.tests.factories import make_admin, make_responder

ChangeContext = Callable[[], Any]


def at_once(*acts: ChangeContext) -> list[Any]:
    """What the acts return or raise, each done in a thread of its own, all let go at the same moment."""
    results: list[Any] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(number: int, act: ChangeContext) -> None:
        try:
            start.wait(timeout=20)
            results[number] = act()
        except Exception as error:  # noqa: BLE001 (a thread tells its failure to the test)
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number, act)) for number, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


class ConcurrencyTestCase(TransactionTestCase):
    def setUp(self) -> None:
        if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
            self.skipTest("threads that share one SQLite database in memory do not wait for each other")

    def tearDown(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM incidents_search")

    def assert_whole(self, *incidents: Incident) -> None:
        for incident in incidents:
            self.assertIsNone(history.verify(incident))

    def failures(self, results: list[Any]) -> list[Exception]:
        return [result for result in results if isinstance(result, Exception)]


class IncidentTests(ConcurrencyTestCase):
    def test_it_leaves_one_event_of_twenty_acknowledgements(self) -> None:
        incident, people = make_incident(), [make_responder() for _ in range(20)]

        results = at_once(*(lambda by=by: acknowledge(incident, by=by) for by in people))

        self.assertEqual(self.failures(results), [])
        self.assertEqual({result.status for result in results}, {"acknowledged"})
        self.assertEqual(kinds_of(incident), ["created", "acknowledged"])
        self.assertEqual(Incident.objects.get(pk=incident.pk).version, 2)
        self.assert_whole(incident)

    def test_it_numbers_comments_without_holes(self) -> None:
        incident, by = make_incident(), make_admin()

        results = at_once(*(lambda number=number: comment(incident, f"{number}", by=by) for number in range(16)))

        self.assertEqual(self.failures(results), [])
        self.assertEqual(sorted(event.seq for event in results), list(range(2, 18)))
        self.assertEqual(len({event.pk for event in results}), 16)
        self.assertEqual(Incident.objects.get(pk=incident.pk).event_count, 17)
        self.assert_whole(incident)

    def test_it_lets_one_of_several_opposite_moves_win(self) -> None:
        incident = transition(make_incident(), "acknowledged", by=None)

        results = at_once(
            *(lambda: transition(incident, "resolved", by=None) for _ in range(4)),
            *(lambda: transition(incident, "on_hold", by=None, note="Parts") for _ in range(4)),
        )

        self.assertLessEqual({type(failure) for failure in self.failures(results)}, {InvalidTransition})
        self.assertEqual(kinds_of(incident).count("resolved"), 1)
        self.assertLessEqual(kinds_of(incident).count("held"), 1)
        self.assertEqual(Incident.objects.get(pk=incident.pk).status, "resolved")
        self.assert_whole(incident)

    def test_it_lets_one_of_several_writers_of_a_version_win(self) -> None:
        incident = make_incident()

        def write(number: int) -> Incident:
            return update(incident, by=None, fields={"title": f"Title {number}"}, expected_versions={1})

        results = at_once(*(lambda number=number: write(number) for number in range(8)))

        self.assertEqual([type(failure) for failure in self.failures(results)], [StaleVersion] * 7)
        self.assertEqual(kinds_of(incident), ["created", "field_changed"])

    def test_it_follows_once(self) -> None:
        incident, person = make_incident(), make_responder()

        results = at_once(*(lambda: subscribe(incident, person, by=None) for _ in range(8)))

        self.assertEqual(sorted(results), [False] * 7 + [True])
        self.assertEqual(Subscription.objects.filter(user=person).count(), 1)
        self.assertEqual(kinds_of(incident), ["created", "subscribed"])

    def test_it_takes_a_link_back_once(self) -> None:
        first, second = make_incident(), make_incident()
        pk = link(first, second, LinkKind.RELATED_TO, by=None).pk

        results = at_once(*(lambda: unlink(first, pk, by=None) for _ in range(6)))

        self.assertEqual(results.count(None), 1, results)
        self.assertEqual(kinds_of(first).count("unlinked"), 1)

    def test_it_links_a_pair_in_both_directions_without_a_deadlock(self) -> None:
        first, second = make_incident(), make_incident()

        results = at_once(
            *(lambda: link(first, second, LinkKind.RELATED_TO, by=None) for _ in range(4)),
            *(lambda: link(second, first, LinkKind.RELATED_TO, by=None) for _ in range(4)),
        )

        self.assertEqual([type(failure) for failure in self.failures(results)], [Conflict] * 6)
        self.assertEqual(IncidentLink.objects.count(), 2)
        self.assert_whole(first, second)

    def test_it_closes_no_circle_of_duplicates(self) -> None:
        incidents = [make_incident() for _ in range(4)]
        ring = zip(incidents, [*incidents[1:], incidents[0]], strict=True)

        results = at_once(
            *(lambda a=a, b=b: link(a, b, LinkKind.DUPLICATE_OF, by=None) for a, b in ring),
        )

        self.assertEqual([type(failure) for failure in self.failures(results)], [Conflict])
        self.assertEqual(IncidentLink.objects.count(), 3)
        self.assert_whole(*incidents)


class JobTests(ConcurrencyTestCase):
    def test_it_marks_a_missed_target_once(self) -> None:
        make_policy(severity=Severity.HIGH, ack_minutes=30, resolve_minutes=600)
        incident = make_incident(at=MONDAY, severity=Severity.HIGH)

        results = at_once(*(lambda: mark_breach(incident.pk, MONDAY + minutes(60)) for _ in range(8)))

        self.assertEqual(sorted(results), [False] * 7 + [True])
        self.assertEqual(kinds_of(incident), ["created", "ack_breached"])
        self.assert_whole(incident)

    def test_it_numbers_the_feed_without_duplicate_or_gap(self) -> None:
        incidents = [make_incident() for _ in range(4)]
        by = make_admin()

        def write(incident: Incident) -> None:
            for number in range(10):
                comment(incident, f"{number}", by=by)

        def number_events() -> None:
            for _ in range(15):
                feed.assign_places(limit=5)

        writers = [lambda incident=incident: write(incident) for incident in incidents]
        results = at_once(*writers, number_events, number_events, number_events)
        while feed.assign_places():
            pass

        self.assertEqual(self.failures(results), [])
        places = list(IncidentEvent.objects.order_by("feed_seq").values_list("feed_seq", flat=True))
        self.assertEqual(places, list(range(1, 45)))
        self.assertEqual(FeedCursor.objects.get(name=feed.HEAD).position, 44)

    def test_it_hands_each_event_to_one_of_several_workers_of_a_reader(self) -> None:
        incident = make_incident()
        for number in range(20):
            comment(incident, f"{number}", by=None)
        feed.assign_places()
        seen: list[int | None] = []

        def work() -> None:
            while feed.consume("reader", lambda events: seen.extend(event.feed_seq for event in events), limit=3):
                pass

        results = at_once(*[work] * 4)

        self.assertEqual(self.failures(results), [])
        self.assertEqual(seen, list(range(1, 22)))

    def test_it_places_an_event_that_was_committed_late(self) -> None:
        slow, quick = make_incident(), make_incident()
        feed.assign_places()
        written, placed = threading.Event(), threading.Event()

        def write_slowly() -> None:
            with transaction.atomic():
                comment(slow, "Late", by=None)
                written.set()
                placed.wait(timeout=10)

        def write_quickly() -> None:
            written.wait(timeout=10)
            try:
                comment(quick, "Early", by=None)
                feed.assign_places()
            finally:
                placed.set()

        if connection.vendor == "sqlite":
            self.skipTest("SQLite has one writer at a time: nothing commits late")
        results = at_once(write_slowly, write_quickly)
        feed.assign_places()

        self.assertEqual(self.failures(results), [])
        bodies = [event.body for event in IncidentEvent.objects.feed_after(2)]
        self.assertEqual(bodies, ["Early", "Late"])
        early, late = IncidentEvent.objects.feed_after(2)
        self.assertGreater(early.pk, late.pk)

    def test_it_keeps_the_counts_equal_to_the_rows(self) -> None:
        incidents = [make_incident() for _ in range(8)]
        teams = [make_team("Network"), make_team("Storage"), None]

        def write(number: int) -> None:
            for step in range(6):
                incident = incidents[(number + step) % len(incidents)]
                assign_team(incident, teams[(number + step) % 3], by=None)
                update(incident, by=None, fields={"severity": Severity(1 + (number + step) % 4)})

        def count() -> None:
            for _ in range(12):
                tallies.update_batch(limit=3)

        writers = [lambda number=number: write(number) for number in range(4)]
        results = at_once(*writers, *[count] * 4)
        while tallies.update_batch():
            pass

        self.assertEqual(self.failures(results), [])
        self.assertEqual(kept(), grouped())
        self.assert_whole(*incidents)

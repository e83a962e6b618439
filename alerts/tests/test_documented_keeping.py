"""docs/alerts.md: what is kept, replayed and forgotten; and that every rule has its test."""

from unittest import mock

from django.test import SimpleTestCase, TestCase, override_settings
from django.utils import timezone

from alerts.decide import BatchProcessor
from alerts.jobs import prune_intake
from alerts.models import Alert, AlertLabel
from alerts.services import process_waiting
from alerts.tests import test_changes, test_documented_incidents, test_documented_messages, test_documented_ways
from alerts.tests.documented import COVERED, RULES, after, documented, make_update, statuses
from alerts.tests.factories import fire, make_key, make_route, make_source, post_json, receive, resolve
from intake.models import IntakeEvent
from intake.services.queue import replay
from intake.vocabulary import IntakeState

DAY = 24 * 60


class RulesTests(SimpleTestCase):
    def test_it_tests_every_documented_rule(self) -> None:
        modules = (test_documented_incidents, test_documented_messages, test_documented_ways, test_changes)

        self.assertEqual((sorted(RULES), len(modules)), (list(range(1, len(RULES) + 1)), 4))
        self.assertEqual(set(RULES) - COVERED, set())


class FailureTests(TestCase):
    def setUp(self) -> None:
        self.source = make_source()

    def states(self) -> dict[str, int]:
        """How many events are in which state."""
        states = list(IntakeEvent.objects.values_list("state", flat=True))
        return {state: states.count(state) for state in states}

    def hand_in(self, *bodies: bytes) -> None:
        """Events of a sender, not worked off."""
        for body in bodies:
            IntakeEvent.objects.create(
                source=self.source, format="generic", body=body, byte_count=len(body), received_at=timezone.now()
            )

    @documented(53)
    def test_it_keeps_what_cannot_be_read_beside_the_others(self) -> None:
        self.hand_in(*(b'{"title": "Disk %d", "key": "%d"}' % (number, number) for number in range(3)), b"<not json")

        process_waiting()

        self.assertEqual((self.states(), len(statuses())), ({IntakeState.DONE: 3, IntakeState.FAILED: 1}, 3))
        failed = IntakeEvent.objects.get(state=IntakeState.FAILED)
        self.assertTrue(failed.reason)
        self.assertEqual(bytes(failed.body), b"<not json")

    @override_settings(STORM_INCIDENTS_PER_MINUTE=0)
    def test_it_puts_one_that_breaks_the_batch_aside_and_replays_it_after_a_fix(self) -> None:
        self.hand_in(*(b'{"title": "Disk %d", "key": "%d"}' % (number, number) for number in range(50)))
        judge = BatchProcessor.judge

        def broken(batch: BatchProcessor, message: object) -> object:
            if getattr(message, "update").fingerprint == "17":  # noqa: B009 (its type is nobody's business here)
                raise ValueError("poison")
            return judge(batch, message)  # type: ignore[arg-type]

        with mock.patch.object(BatchProcessor, "judge", broken), self.assertLogs(level="WARNING"):
            process_waiting()
        before = (self.states(), IntakeEvent.objects.get(state=IntakeState.FAILED).reason)
        replayed = replay(IntakeEvent.objects.values_list("pk", flat=True))
        process_waiting()

        self.assertEqual(before, ({IntakeState.DONE: 49, IntakeState.FAILED: 1}, "ValueError: poison"))
        self.assertEqual((replayed, self.states(), len(statuses())), (1, {IntakeState.DONE: 50}, 50))
        self.assertEqual(set(Alert.objects.values_list("occurrences", flat=True)), {1})

    @documented(54)
    def test_it_replays_what_failed_or_was_dropped_only(self) -> None:
        route = make_route(is_drop=True)
        self.hand_in(b'{"title": "Disk", "key": "a"}')
        process_waiting()
        dropped = self.states()
        route.delete()

        replayed = [replay(IntakeEvent.objects.values_list("pk", flat=True)), process_waiting()]
        replayed.append(replay(IntakeEvent.objects.values_list("pk", flat=True)))

        self.assertEqual(
            (dropped, replayed, self.states()), ({IntakeState.DROPPED: 1}, [1, 1, 0], {IntakeState.DONE: 1})
        )
        self.assertEqual(Alert.objects.get().occurrences, 1)

    def test_it_replays_what_held_no_alert_and_nothing_else_that_changed_nothing(self) -> None:
        source, kept = (
            make_source(kind="github"),
            {"body": b"{}", "byte_count": 2, "headers": {"x-github-event": "star"}},
        )
        IntakeEvent.objects.create(source=source, format="github", received_at=timezone.now(), **kept)
        self.hand_in(b'{"title": "Disk", "key": "unheard of", "status": "resolved"}')
        process_waiting()
        in_part = {"state": IntakeState.IGNORED, "reason": "1 of 2 lines were taken.", "received_at": timezone.now()}
        IntakeEvent.objects.create(source=make_source(kind="logs"), format="json", body=b"", **in_part)
        before = self.states()

        replayed = replay(IntakeEvent.objects.values_list("pk", flat=True))

        self.assertEqual((before, replayed), ({IntakeState.IGNORED: 3}, 1))
        self.assertEqual(IntakeEvent.objects.waiting().get().source, source)

    def test_it_takes_a_very_large_message(self) -> None:
        source = make_source(group_by=["service"])

        receive(source, *(make_update(f"{number}", labels={"number": f"{number}"}) for number in range(2000)))

        self.assertEqual((Alert.objects.count(), self.states(), statuses()), (2000, {IntakeState.DONE: 1}, ["open"]))

    def test_it_is_not_brought_down_by_a_silence_in_an_unknown_zone(self) -> None:
        from alerts.tests.factories import make_silence

        make_silence(("source", "=~", ".*"), weekdays=list(range(7)), time_zone="Nowhere/Atall")
        self.hand_in(b'{"title": "Disk", "key": "a"}')

        with self.assertLogs(level="ERROR"):
            process_waiting()

        self.assertEqual(self.states(), {IntakeState.DONE: 1})

    def test_it_keeps_and_replays_what_came_through_a_door(self) -> None:
        response = post_json(self.client, f"/intake/{make_key(self.source)}/", {"title": "Disk", "key": "a"})

        process_waiting()

        self.assertEqual((response.status_code, self.states()), (202, {IntakeState.DONE: 1}))


class RetentionTests(TestCase):
    @documented(55)
    @override_settings(INTAKE_RETENTION_DAYS=14)
    def test_it_forgets_what_was_sent_unless_it_waits(self) -> None:
        source = make_source()
        for minute in (0, 2 * DAY):
            for state in ("done", "failed", "waiting"):
                IntakeEvent.objects.create(
                    source=source, format="generic", body=b"", state=state, received_at=after(minute)
                )

        prune_intake(after(15 * DAY))

        left = list(IntakeEvent.objects.order_by("pk").values_list("received_at", "state"))
        recent = [(after(2 * DAY), state) for state in ("done", "failed", "waiting")]
        self.assertEqual(left, [(after(0), "waiting"), *recent])

    @documented(56)
    @override_settings(ALERT_RETENTION_DAYS=365)
    def test_it_forgets_alerts_some_time_after_their_end(self) -> None:
        source = make_source()
        for name in ("old", "late", "firing"):
            fire(source, name, labels={"n": name}, starts_at=after(0), at=after(0))
        resolve(source, "old", at=after(1))
        resolve(source, "late", at=after(100 * DAY))

        prune_intake(after(366 * DAY))

        self.assertEqual(set(Alert.objects.values_list("fingerprint", flat=True)), {"late", "firing"})
        self.assertEqual(AlertLabel.objects.count(), 2)
        self.assertEqual(len(statuses()), 3)

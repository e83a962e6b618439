from unittest import mock, skipUnless

from django.db import OperationalError, connection, connections, transaction
from django.test import TransactionTestCase
from django.utils import timezone

from alerts.models import Alert
from alerts.services import enqueue, process_waiting, processing
from alerts.tests.documented import make_update
from alerts.tests.factories import make_source
from intake.models import IntakeEvent
from intake.services import claiming
from intake.services.claiming import Waiting, claim, waiting
from intake.services.postponing import Postponed
from intake.vocabulary import IntakeState

MEGABYTE = 1024 * 1024


def listed(*sizes: int, source: int = 1) -> list[Waiting]:
    return [Waiting(number, source, "generic", size) for number, size in enumerate(sizes, 1)]


class StretchTests(TransactionTestCase):
    """With all rows to be had, how many are taken."""

    def taken(self, events: list[Waiting], limit: int = 300, held: frozenset[int] = frozenset()) -> list[int]:
        with mock.patch.object(claiming, "_lock", lambda ids: {pk: IntakeEvent(pk=pk) for pk in ids if pk not in held}):
            return [one.pk for one in claim(events, limit)]

    def test_it_takes_as_many_as_there_is_room_for(self) -> None:
        self.assertEqual(self.taken(listed(*[10] * 5), limit=3), [1, 2, 3])
        self.assertEqual(self.taken(listed(3 * MEGABYTE, MEGABYTE, 1)), [1, 2])
        self.assertEqual(self.taken(listed(9 * MEGABYTE, 1)), [1])
        self.assertEqual(self.taken(listed(1, 9 * MEGABYTE, 1)), [1])
        self.assertEqual((self.taken([]), self.taken(listed(1), limit=0)), ([], []))

    def test_it_passes_no_event_of_a_source_that_another_worker_holds(self) -> None:
        one = listed(*[10] * 4)
        other = [Waiting(pk + 10, 2, "generic", 10) for pk in range(3)]

        self.assertEqual(self.taken(one, held=frozenset({3})), [1, 2])
        self.assertEqual(self.taken([*one, *other], held=frozenset({1})), [10, 11, 12])
        self.assertEqual(self.taken([*one, *other], limit=4, held=frozenset({1, 2, 3, 4})), [10, 11, 12])
        self.assertEqual(self.taken([*one, *other], held=frozenset({1, 10})), [])


class QueueTests(TransactionTestCase):
    def test_it_loads_no_more_bodies_than_it_works_off(self) -> None:
        source = make_source()
        for number in range(6):
            body = b'{"title": "%d", "key": "%d", "note": "%s"}' % (number, number, b"x" * (2 * MEGABYTE))
            IntakeEvent.objects.create(
                source=source,
                format="generic",
                body=body,
                byte_count=None if number < 3 else len(body),
                received_at=timezone.now(),
            )
        loaded: list[int] = []

        def read(event: IntakeEvent) -> processing.Reading:
            loaded.append(event.pk)
            return original(event)

        original = processing.read
        with mock.patch.object(processing, "read", read):
            rounds = [process_waiting() for _ in range(7)]

        self.assertEqual((rounds, len(loaded)), ([1, 1, 1, 1, 1, 1, 0], 6))

    def test_it_notes_how_long_a_body_is(self) -> None:
        enqueue(make_source(), [make_update("a")])

        event = IntakeEvent.objects.get()

        self.assertEqual((event.byte_count, [one.size for one in waiting()]), (len(event.body), [len(event.body)]))

    @skipUnless(connection.vendor == "mysql", "SQLite has one worker at a time")
    def test_it_leaves_alone_what_another_worker_holds_and_helps_with_the_rest(self) -> None:
        busy, free = make_source(), make_source()
        for number in range(4):
            enqueue(busy if number % 2 else free, [make_update(f"{number}")])
        other = connections["default"].copy()  # type: ignore[no-untyped-call]
        first = IntakeEvent.objects.filter(source=busy).order_by("pk").first()
        assert first is not None
        reads = mock.Mock(side_effect=processing.read)
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute("SELECT 1 FROM intake_intakeevent WHERE id = %s FOR UPDATE", [first.pk])
            with mock.patch.object(processing, "read", reads):
                done = [process_waiting(), process_waiting()]
            other.rollback()
        finally:
            other.close()

        self.assertEqual((done, reads.call_count), ([2, 0], 2))
        self.assertEqual(set(Alert.objects.values_list("source", flat=True)), {free.pk})
        self.assertEqual((process_waiting(), Alert.objects.count()), (2, 4))


class OutageTests(TransactionTestCase):
    """The database fails at every attempt while it answers: the event may be what brings that about, or not."""

    def setUp(self) -> None:
        self.enterContext(mock.patch.object(processing, "postponed", Postponed()))
        self.enterContext(mock.patch("core.db.transactions.time.sleep"))
        self.source = make_source()
        for title in ("bad", "good"):
            enqueue(self.source, [make_update(title)])

    def process(self, error: Exception, *, times: int) -> list[str]:
        left = [times]

        def insert(alerts: list[Alert]) -> None:
            if any(alert.fingerprint == "bad" for alert in alerts) and left[0]:
                left[0] -= 1
                raise error

        with mock.patch("alerts.services.writing.insert_labels", insert):
            for _ in range(10):
                try:
                    process_waiting()
                except type(error):
                    continue
        return list(IntakeEvent.objects.order_by("id").values_list("state", flat=True))

    def test_it_dead_letters_nothing_for_what_is_the_databases_fault(self) -> None:
        for error in (
            OperationalError(2013, "Lost connection to MySQL server during query"),
            OperationalError(1290, "The MariaDB server is running with the --read-only option"),
            OperationalError(1021, "Disk full"),
            OperationalError("database or disk is full"),
            OperationalError(1205, "Lock wait timeout exceeded"),
        ):
            with self.subTest(error=error):
                processing.postponed = Postponed()
                IntakeEvent.objects.update(state=IntakeState.WAITING)
                Alert.objects.all().delete()

                self.assertEqual(self.process(error, times=2), ["done", "done"])

    def test_it_goes_on_with_the_others_when_one_brings_it_about_each_time(self) -> None:
        states = self.process(OperationalError(2013, "Lost connection to MySQL server during query"), times=1000)

        self.assertEqual(states, ["waiting", "done"])
        with transaction.atomic():
            self.assertEqual(Alert.objects.get().fingerprint, "good")
        processing.postponed = Postponed()
        self.assertEqual((process_waiting(), Alert.objects.count()), (1, 2))

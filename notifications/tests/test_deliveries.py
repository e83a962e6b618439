import datetime as dt

from django.db import connection
from django.test import TestCase
from django.utils import timezone

from core.db import rows
from notifications.models import Delivery
from notifications.vocabulary import Kind, Priority, State

SENT, DUE = 400, 20


def make_delivery(number: int, **values: object) -> Delivery:
    now = timezone.now()
    return Delivery(
        key=f"{number:064}", kind=Kind.PAGE, channel="email", recipient="Ana", created_at=now, due_at=now, **values
    )


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read_%'")
        return sum(int(value) for _name, value in cursor.fetchall())


class DueTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        late = self.now - dt.timedelta(seconds=9)
        sent = [make_delivery(number, priority=Priority.PAGE, state=State.ACCEPTED) for number in range(SENT)]
        due = [
            make_delivery(SENT + number, priority=number % 4, next_attempt_at=late + dt.timedelta(seconds=number % 3))
            for number in range(DUE)
        ]
        later = make_delivery(SENT + DUE, next_attempt_at=self.now + dt.timedelta(seconds=9))
        other = make_delivery(SENT + DUE + 1, next_attempt_at=late)
        other.channel = "sms"
        rows.insert(*sent, *due, later, other)

    def test_it_finds_what_a_channel_has_to_send_the_most_urgent_first(self) -> None:
        found = list(Delivery.objects.due_by("email", self.now))

        self.assertEqual(len(found), DUE)
        self.assertEqual(found, sorted(found, key=lambda row: (row.priority, row.next_attempt_at, row.pk)))

    def test_it_reads_nothing_that_was_sent(self) -> None:
        due = Delivery.objects.due_by("email", self.now)[:DUE]

        if connection.vendor == "sqlite":
            self.assertIn("channel=? AND priority=? AND next_attempt_at<?", due.explain())
            return
        before = rows_read()
        found = list(due)

        self.assertEqual(len(found), DUE)
        self.assertLess(rows_read() - before, SENT / 2)

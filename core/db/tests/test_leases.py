import datetime as dt
import threading

from django.db import connection
from django.test import TestCase, TransactionTestCase

from core.db.leases import Lease
from core.db.rows import lock_available
from core.db.transactions import unit_of_work
from core.models import JobRun

NOW = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)
lease = Lease("started_at", dt.timedelta(minutes=5))


def make_run(name: str = "a") -> JobRun:
    return JobRun.objects.create(name=name, started_at=NOW)


class ClaimTests(TestCase):
    def test_it_lets_one_of_two_who_saw_the_same_row_hold_it(self) -> None:
        first, second = make_run(), JobRun.objects.get()

        claimed = [lease.claim(first, NOW, error="1"), lease.claim(second, NOW, error="2")]

        self.assertEqual(claimed, [True, False])
        self.assertEqual((JobRun.objects.get().started_at, JobRun.objects.get().error), (NOW + lease.length, "1"))

    def test_it_gives_back_what_is_held_still(self) -> None:
        make_run("a")
        make_run("b")
        keys = lease.claim_many(JobRun.objects.filter(started_at__lte=NOW).order_by("name")[:2], NOW)
        JobRun.objects.filter(name="b").update(started_at=NOW + dt.timedelta(hours=1))

        lease.release(JobRun, keys, NOW)

        self.assertEqual(keys, ["a", "b"])
        self.assertEqual(JobRun.objects.get(name="a").started_at, NOW)
        self.assertEqual(JobRun.objects.get(name="b").started_at, NOW + dt.timedelta(hours=1))


class SharedQueueTests(TransactionTestCase):
    def test_it_passes_over_what_another_worker_is_claiming(self) -> None:
        if not connection.features.has_select_for_update_skip_locked:
            self.skipTest("One writes at a time here.")
        make_run("a")
        make_run("b")
        found: list[str] = []

        def claim() -> None:
            try:
                found.extend(lease.claim_many(JobRun.objects.filter(started_at__lte=NOW).order_by("name"), NOW))
            finally:
                connection.close()

        @unit_of_work
        def hold() -> None:
            list(lock_available(JobRun.objects.filter(name="a")))
            other = threading.Thread(target=claim)
            other.start()
            other.join(20)

        hold()

        self.assertEqual(found, ["b"])

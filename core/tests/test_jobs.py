import datetime as dt
from unittest import mock

from django.test import TestCase
from django.utils import timezone

from core import jobs
from core.db.markers import marker_of
from core.models import IdempotentRequest, TransactionMarker
from users.tests.factories import make_reporter


class PruneAnswersTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        self.user = make_reporter()

    def remember(self, key: str, age: dt.timedelta) -> None:
        IdempotentRequest.objects.create(
            user=self.user, key_digest=key, content_digest="", status=200, created_at=self.now - age
        )

    def test_it_deletes_answers_that_are_remembered_no_longer(self) -> None:
        self.remember("old", dt.timedelta(hours=24))
        self.remember("new", dt.timedelta(hours=23))

        count = jobs.prune_answers(self.now)

        self.assertEqual(count, 1)
        self.assertEqual(IdempotentRequest.objects.get().key_digest, "new")

    def test_it_works_in_batches_and_leaves_a_great_rest_to_the_next_run(self) -> None:
        for number in range(7):
            self.remember(f"old {number}", dt.timedelta(days=2))

        with mock.patch.multiple(jobs, BATCH=2, MAX_BATCHES=3):
            counts = [jobs.prune_answers(self.now), jobs.prune_answers(self.now)]

        self.assertEqual(counts, [6, 1])


class PruneMarkersTests(TestCase):
    def test_it_leaves_a_great_rest_to_the_next_run(self) -> None:
        now = timezone.now()
        old = marker_of((now - jobs.MARKERS_KEPT * 2).timestamp())
        TransactionMarker.objects.bulk_create(TransactionMarker(pk=f"{old}{number}") for number in range(7))

        with mock.patch.multiple(jobs, BATCH=2, MAX_BATCHES=3):
            counts = [jobs.prune_markers(now), jobs.prune_markers(now)]

        self.assertEqual(counts, [6, 1])

import datetime as dt
from unittest import mock

from django.test import TestCase
from django.utils import timezone

from core.db.markers import marker_of
from core.models import IdempotentRequest, TransactionMarker
from users import jobs, services
from users.models import Session
from users.tests.factories import make_reporter


class ForgetOldTests(TestCase):
    def setUp(self) -> None:
        self.now = timezone.now()
        self.user = make_reporter()

    def remember(self, key: str, age: dt.timedelta) -> None:
        IdempotentRequest.objects.create(
            user=self.user, key_digest=key, content_digest="", status=200, created_at=self.now - age
        )

    def test_it_deletes_what_has_served_its_time(self) -> None:
        self.remember("old", dt.timedelta(hours=24))
        self.remember("new", dt.timedelta(hours=23))
        expired, good = services.open_session(self.user), services.open_session(self.user)
        Session.objects.filter(pk=expired.pk).update(expires_at=self.now)

        count = jobs.forget_old(self.now)

        self.assertEqual(count, 2)
        self.assertEqual(IdempotentRequest.objects.get().key_digest, "new")
        self.assertEqual(Session.objects.get(), good)

    def test_it_works_in_batches_and_leaves_a_great_rest_to_the_next_run(self) -> None:
        for number in range(7):
            self.remember(f"old {number}", dt.timedelta(days=2))

        with mock.patch.multiple(jobs, BATCH=2, MAX_BATCHES=3):
            counts = [jobs.forget_old(self.now), jobs.forget_old(self.now)]

        self.assertEqual(counts, [6, 1])


class ForgetMarkersTests(TestCase):
    def test_it_leaves_a_great_rest_to_the_next_run(self) -> None:
        now = timezone.now()
        old = marker_of((now - jobs.MARKERS_KEPT * 2).timestamp())
        TransactionMarker.objects.bulk_create(TransactionMarker(pk=f"{old}{number}") for number in range(7))

        with mock.patch.multiple(jobs, BATCH=2, MAX_BATCHES=3):
            counts = [jobs.forget_markers(now), jobs.forget_markers(now)]

        self.assertEqual(counts, [6, 1])

from django.test import TestCase
from django.utils import timezone

from users import jobs, services
from users.models import Session
from users.tests.factories import make_reporter


class PruneSignInsTests(TestCase):
    def test_it_deletes_expired_sessions(self) -> None:
        user, now = make_reporter(), timezone.now()
        expired, good = services.open_session(user), services.open_session(user)
        Session.objects.filter(pk=expired.pk).update(expires_at=now)

        count = jobs.prune_sign_ins(now)

        self.assertEqual(count, 1)
        self.assertEqual(Session.objects.get(), good)

"""Keys: told once, kept hashed, rotated."""

from django.test import TestCase

from alerts.tests.factories import make_source
from core.errors import Conflict
from intake.models import SourceKey
from intake.services import sources
from intake.services.sources import create_key, revoke_key, source_of


class KeyTests(TestCase):
    def setUp(self) -> None:
        sources.clear_cache()
        self.source = make_source()

    def test_it_keeps_only_the_digest(self) -> None:
        _row, key = create_key(self.source)

        stored = SourceKey.objects.get()
        self.assertRegex(key, r"^[a-z0-9]{32}$")
        self.assertNotIn(key, (stored.digest, stored.prefix))
        self.assertEqual(source_of(key), self.source)

    def test_it_lets_two_live_so_that_one_can_be_rotated(self) -> None:
        first, second = (create_key(self.source)[1] for _ in range(2))

        with self.assertRaises(Conflict):
            create_key(self.source)
        revoke_key(SourceKey.objects.get(prefix=first[:4], digest=sources.digest_of(first)))
        sources.clear_cache()
        third = create_key(self.source)[1]

        found = [source_of(key) for key in (first, second, third)]
        self.assertEqual(found, [None, self.source, self.source])

    def test_it_forgets_a_revoked_key_within_a_second(self) -> None:
        _row, key = create_key(self.source)
        source_of(key)

        with self.captureOnCommitCallbacks(execute=True):
            revoke_key(SourceKey.objects.get())

        self.assertIsNone(source_of(key))

    def test_it_asks_the_database_once_a_second_for_a_key(self) -> None:
        _row, key = create_key(self.source)

        with self.assertNumQueries(1):
            for _ in range(5):
                source_of(key)

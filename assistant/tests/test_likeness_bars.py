"""The bars of duplicates and of abstention, on a small history; `make bench ONLY=assistant` does it among 10,000."""

from django.test import TransactionTestCase
from django.utils import timezone

from assistant.tests.judging import judge
from users.tests.factories import make_admin


class BarTests(TransactionTestCase):
    """Committed rows: InnoDB's full-text index sees no others."""

    def test_it_finds_repeats_and_is_silent_about_the_unrelated(self) -> None:
        judged = judge(1_500, 40, 40, make_admin(), timezone.now())

        self.assertGreaterEqual(judged.recall, 0.9)
        self.assertGreaterEqual(judged.abstained, 0.9)
        self.assertLess(judged.by_recency, 0.5)

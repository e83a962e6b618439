from django.test import TestCase

from core.db import rows
from incidents.models import Tally


class AddUpTests(TestCase):
    def add(self, **counts: int) -> None:
        rows.add_up(Tally, "count", {("status", value): count for value, count in counts.items()}, "dimension", "value")

    def counted(self) -> dict[str, int]:
        return dict(Tally.objects.filter(dimension="status").values_list("value", "count"))

    def test_it_adds_to_new_and_known_counters(self) -> None:
        self.add(open=2)

        self.add(open=3, closed=1, resolved=0)

        self.assertEqual(self.counted(), {"open": 5, "closed": 1})

    def test_it_takes_away(self) -> None:
        self.add(open=2)

        self.add(open=-1)

        self.assertEqual(self.counted(), {"open": 1})

    def test_it_asks_for_nothing_where_nothing_is_counted(self) -> None:
        with self.assertNumQueries(0):
            self.add(open=0)

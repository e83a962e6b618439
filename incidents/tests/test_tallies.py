from collections import Counter
from typing import Any

from django.db.models import Count
from django.test import TestCase

from core.severity import Severity
from incidents import jobs
from incidents.models import Incident, Tally
from incidents.models.tally import Dimension
from incidents.services import delete, purge, tallies, update
from incidents.tests.factories import MONDAY, make_category, make_incident, make_team
from incidents.tests.walks import Walk

COLUMN_OF = {"status": "status", "severity": "severity", "team": "team_id", "category": "category_id"}


def kept() -> dict[tuple[str, str], int]:
    """The counts that are kept, without those that went down to nothing."""
    rows = Tally.objects.exclude(count=0).values_list("dimension", "value", "count")
    return {(dimension, value): count for dimension, value, count in rows}


def grouped() -> dict[tuple[str, str], int]:
    """The same, counted from the rows."""
    counts: Counter[tuple[str, str]] = Counter()
    for dimension in Dimension.values:
        rows: Any = Incident.objects.present().filter(is_restricted=False).order_by()
        for row in rows.values(COLUMN_OF[dimension]).annotate(number=Count("pk")):
            counts[dimension, str(row[COLUMN_OF[dimension]] or "")] += row["number"]
    return dict(counts)


class TallyTests(TestCase):
    def test_it_counts_by_each_dimension(self) -> None:
        team, category = make_team(), make_category()
        incident = make_incident(severity=Severity.HIGH, category=category)
        update(incident, by=None, fields={"team": team})
        make_incident(severity=Severity.HIGH)

        tallies.update_batch()

        self.assertEqual(
            kept(),
            {
                ("status", "open"): 2,
                ("severity", "3"): 2,
                ("team", str(team.pk)): 1,
                ("team", ""): 1,
                ("category", str(category.pk)): 1,
                ("category", ""): 1,
            },
        )

    def test_it_counts_neither_restricted_nor_deleted_ones(self) -> None:
        deleted, restricted = make_incident(), make_incident()
        tallies.update_batch()

        delete(deleted, by=None)
        update(restricted, by=None, fields={"is_restricted": True})

        self.assertEqual(+tallies.current(), Counter())
        tallies.update_batch()
        self.assertEqual(kept(), {})
        update(restricted, by=None, fields={"is_restricted": False})
        tallies.update_batch()
        self.assertEqual(kept()["status", "open"], 1)

    def test_it_reads_what_is_kept_and_what_is_not_at_one_moment(self) -> None:
        make_incident()
        tallies.update_batch()
        make_incident(severity=Severity.LOW, category=make_category())

        with self.assertNumQueries(1):
            counts = tallies.current()

        self.assertEqual(dict(+counts), grouped())

    def test_it_goes_on_in_batches(self) -> None:
        for _ in range(5):
            make_incident()

        self.assertEqual([tallies.update_batch(limit=2) for _ in range(4)], [2, 2, 1, 0])

        self.assertEqual(kept(), grouped())
        self.assertEqual(jobs.update_tallies(MONDAY), 0)

    def test_it_equals_the_rows_after_any_sequence_of_acts(self) -> None:
        walk = Walk(seed=2)
        incidents = [walk.report() for _ in range(12)]
        for number in range(160):
            walk.step(walk.random.choice(incidents), with_deletion=True)
            if number % 40 == 39:
                gone = incidents.pop()
                if Incident.objects.filter(pk=gone.pk, deleted_at=None).exists():
                    delete(gone, by=None)
                purge(gone, by=None)
            if walk.random.random() < 0.2:
                tallies.update_batch(limit=3)
            if number % 10 == 0:
                self.assertEqual(dict(+tallies.current()), grouped())

        while tallies.update_batch(limit=5):
            pass

        self.assertEqual(kept(), grouped())
        self.assertEqual(dict(+tallies.current()), grouped())

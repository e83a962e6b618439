"""The charts' figures against the rows, added up by hand."""

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

from incidents.figures import Bucket, figures_of, parts_of
from incidents.models import Incident
from incidents.percentiles import nearest_rank
from incidents.services import restore, update
from incidents.tests.factories import MONDAY
from incidents.tests.test_views_metrics import LivedInCase
from users.models import User


def midnights(zone: str, days: int) -> list[dt.datetime]:
    first = MONDAY.astimezone(ZoneInfo(zone)).replace(hour=0)
    return [(first + dt.timedelta(days=day)).astimezone(dt.UTC) for day in range(days + 1)]


class FiguresTests(LivedInCase):
    def seen_between(self, person: User, start: dt.datetime, end: dt.datetime) -> list[Incident]:
        return [row for row in self.seen_by(person) if start <= row.created_at < end]

    def assert_equals(self, bucket: Bucket, rows: list[Incident]) -> None:
        self.assertEqual(bucket.severities, Counter(row.severity for row in rows))
        self.assertEqual(bucket.reopened, sum(row.reopen_count > 0 for row in rows))
        for times, column in ((bucket.ack, "acknowledged_at"), (bucket.resolve, "resolved_at")):
            ends = [(getattr(row, column), row.created_at) for row in rows if getattr(row, column)]
            seconds = sorted(int((end - start).total_seconds()) for end, start in ends)
            self.assertEqual((times.count, times.pending), (len(seconds), len(rows) - len(seconds)))
            if seconds:
                ranks = [seconds[nearest_rank(percent, len(seconds))] for percent in (50, 90)]
                self.assertEqual([times.mean, times.p50, times.p90], [sum(seconds) / len(seconds), *ranks])

    def test_they_equal_the_rows_in_any_zone(self) -> None:
        for zone in ("UTC", "Europe/Zurich", "Asia/Kathmandu", "America/St_Johns"):
            edges = midnights(zone, 30)
            for person in self.people:
                with self.subTest(zone=zone, person=person.role):
                    found = figures_of(parts_of(person), edges)

                    self.assert_equals(found.whole, self.seen_between(person, edges[0], edges[-1]))
                    for bucket, start, end in zip(found.buckets, edges[:-1], edges[1:], strict=True):
                        self.assert_equals(bucket, self.seen_between(person, start, end))

    def test_shares_equal_the_rows(self) -> None:
        edges = midnights("UTC", 40)
        for person in self.people:
            with self.subTest(person.role):
                found = figures_of(parts_of(person), edges)

                rows = self.seen_between(person, edges[0], edges[-1])
                self.assertEqual(found.teams, Counter(row.team_id for row in rows))
                self.assertEqual(found.categories, Counter(row.category_id for row in rows))
                affected = Counter(service.pk for row in rows for service in row.services.all())
                self.assertEqual(found.services, affected)

    def test_they_follow_what_changes_late(self) -> None:
        edges = midnights("UTC", 40)
        for row in Incident.objects.order_by("pk")[:20]:
            if row.deleted_at is not None:
                restore(row, by=None)
            else:
                fields = {"severity": 5 - row.severity, "team": self.teams[0], "is_restricted": not row.is_restricted}
                update(row, by=None, fields=fields)

        for person in self.people:
            found = figures_of(parts_of(person), edges)

            rows = self.seen_between(person, edges[0], edges[-1])
            self.assert_equals(found.whole, rows)
            self.assertEqual(found.teams, Counter(row.team_id for row in rows))

    def test_they_cost_six_queries_at_any_size(self) -> None:
        parts = parts_of(self.admin)

        with self.assertNumQueries(6):
            figures_of(parts, midnights("UTC", 40))

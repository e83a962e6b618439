"""Changes: kept once, and found before an incident."""

import datetime as dt

from django.test import TestCase
from django.utils import timezone

from alerts.models import ChangeEvent
from alerts.services.changes import MOST, changes, changes_before, take
from alerts.tests.documented import documented
from alerts.tests.factories import make_source
from alerts.updates import Change
from incidents.tests.factories import make_incident, make_service

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)


def ago(minutes: int) -> dt.datetime:
    return NOW - dt.timedelta(minutes=minutes)


class TakingTests(TestCase):
    def test_it_keeps_what_was_told(self):
        source = make_source()
        links = ({"href": "https://ci.example.com/7", "text": "Build"},)
        change = Change("Deployed 1.7", "ci", {"commit": "abc"}, links, occurred_at=NOW)

        take(source, [change], at=ago(-1))

        kept = ChangeEvent.objects.get()
        self.assertEqual((kept.source, kept.summary, kept.origin), (source, "Deployed 1.7", "ci"))
        self.assertEqual((kept.details, kept.links), ({"commit": "abc"}, list(links)))
        self.assertEqual((kept.occurred_at, kept.received_at), (NOW, ago(-1)))

    @documented(58)
    def test_it_keeps_a_change_sent_again_once(self):
        source = make_source()
        change = Change("Deployed 1.7", "ci", occurred_at=NOW)

        first, again, together = take(source, [change]), take(source, [change]), take(make_source(), [change, change])

        self.assertEqual((first, again, together, ChangeEvent.objects.count()), (1, 0, 1, 2))

    @documented(58)
    def test_it_keeps_changes_without_a_time_each(self):
        source = make_source()

        count = take(source, [Change("Restarted"), Change("Restarted")], at=NOW)

        self.assertEqual((count, ChangeEvent.objects.filter(occurred_at=NOW).count()), (2, 2))

    def test_it_finds_the_service_by_slug_or_name(self):
        source, service = make_source(), make_service("payments")
        names = [(service.slug,), ("payments",), ("PAYMENTS", "other"), ("nothing", "Payments"), ("nothing",), ()]

        take(source, [Change(f"change {number}", services=said) for number, said in enumerate(names)])

        found = dict(ChangeEvent.objects.values_list("summary", "service"))
        self.assertEqual([found[f"change {number}"] for number in range(6)], [service.pk] * 4 + [None] * 2)

    def test_it_cuts_what_is_too_long(self):
        details = {f"{'n' * 300}{number}": "v" * 5000 for number in range(300)}

        take(make_source(), [Change("s" * 900, "o" * 900, details)])

        kept = ChangeEvent.objects.get()
        self.assertEqual((len(kept.summary), len(kept.origin)), (500, 200))
        self.assertLessEqual(sum(len(value) for value in kept.details.values()), 100 * 2000)


class FindingTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.source, cls.service, cls.other = make_source(), make_service("payments"), make_service("search")
        told = [
            Change("long ago", occurred_at=ago(61)),
            Change("an hour ago", occurred_at=ago(60), services=("payments",)),
            Change("elsewhere", occurred_at=ago(30), services=("search",)),
            Change("of nothing named", occurred_at=ago(20)),
            Change("at once", occurred_at=NOW, services=("payments",)),
            Change("afterwards", occurred_at=ago(-1), services=("payments",)),
        ]
        take(cls.source, told)

    def found(self, *services: object) -> list[str]:
        incident = make_incident()
        incident.occurred_at = NOW
        incident.services.set(services)
        return [change.summary for change in changes_before(incident)]

    @documented(57)
    def test_it_finds_what_changed_in_the_incidents_services(self):
        self.assertEqual(self.found(self.service), ["at once", "an hour ago"])
        self.assertEqual(self.found(self.other), ["elsewhere"])

    @documented(57)
    def test_it_finds_all_changes_where_the_incident_names_no_service(self):
        self.assertEqual(self.found(), ["at once", "of nothing named", "elsewhere", "an hour ago"])

    def test_it_lists_what_changed_with_its_source_and_service_in_one_query(self):
        with self.assertNumQueries(1):
            found = changes(since=ago(90), until=ago(-90), limit=2)
            told = [(change.summary, change.source, change.service) for change in found]

        expected = [("afterwards", self.source, self.service), ("at once", self.source, self.service)]
        self.assertEqual(told, expected)

    def test_it_never_lists_more_than_it_may(self):
        take(self.source, [Change(f"change {number}") for number in range(MOST + 5)])

        found = changes(since=timezone.now() - dt.timedelta(hours=1), until=timezone.now(), limit=10_000)

        self.assertEqual(len(found), MOST)

"""What time does to alerts, beyond what docs/alerts.md says of it."""

import datetime as dt
from unittest import mock

from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts.models import Alert, AlertGroup, Silence
from alerts.services import maintenance
from alerts.services.maintenance import _prune_over, prune, release_silenced
from alerts.tests.documented import after
from alerts.tests.factories import fire, make_route, make_silence, make_source, matchers_of
from incidents.models import Incident
from intake.models import Source


class ReleaseTests(TestCase):
    def test_it_keeps_nobody_from_writing_while_it_looks(self) -> None:
        now = timezone.now()
        make_silence(("host", "=", "db-3"), starts_at=now - dt.timedelta(hours=1), ends_at=now + dt.timedelta(hours=1))
        quiet = fire(make_source(), labels={"host": "db-3"}, at=now)

        with CaptureQueriesContext(connection) as queries:
            released = release_silenced(now)

        self.assertIsNotNone(quiet.silenced_by)
        self.assertEqual(released, 0)
        self.assertEqual([query["sql"] for query in queries if not query["sql"].startswith("SELECT")], [])

    def test_it_opens_nothing_that_is_silenced_again_while_it_looks(self) -> None:
        now = timezone.now()
        first = make_silence(("host", "=", "db-3"), ends_at=now + dt.timedelta(minutes=1))
        quiet = fire(make_source(), labels={"host": "db-3"}, at=now)
        lift, later = maintenance._release, now + dt.timedelta(minutes=2)

        def late(ids: list[int], at: dt.datetime) -> int:
            make_silence(("host", "=", "db-3"))
            return lift(ids, at)

        with mock.patch.object(maintenance, "_release", late):
            released = release_silenced(later)

        quiet.refresh_from_db()
        self.assertEqual((released, quiet.incident, quiet.silenced_by), (0, None, first))


class WalkTests(TestCase):
    """What an active silence keeps quiet is not looked at again and again."""

    def setUp(self) -> None:
        self.enterContext(mock.patch.dict(maintenance._stands_since, clear=True))
        self.source, self.now = make_source(), timezone.now()
        self.silence = make_silence(("host", "=", "db"))
        for number in range(3):
            fire(self.source, f"{number}", labels={"host": "db"})

    def walked(self, **after: float) -> int:
        """How many of the quiet alerts are looked at, so long after."""
        with mock.patch.object(maintenance, "stored_facts", side_effect=maintenance.stored_facts) as looked_at:
            release_silenced(self.now + dt.timedelta(**after))
        return looked_at.call_count

    def test_it_looks_at_what_is_kept_quiet_while_that_is_new_or_changed(self) -> None:
        settled = [self.walked(seconds=0), self.walked(seconds=40), self.walked(seconds=45)]
        Silence.objects.update(ends_at=self.now + dt.timedelta(hours=2))
        changed = [self.walked(seconds=50), self.walked(seconds=90)]
        Source.objects.filter(pk=self.source.pk).update(name="renamed")
        renamed = [self.walked(seconds=100), self.walked(seconds=140)]

        self.assertEqual((settled, changed, renamed), ([3, 0, 0], [3, 0], [3, 0]))

    def test_it_opens_what_the_changed_matchers_leave_and_what_the_end_does(self) -> None:
        self.walked(seconds=0)
        self.walked(seconds=40)
        fire(self.source, "other", labels={"host": "db", "zone": "a"})

        Silence.objects.update(matchers=matchers_of(("zone", "=", "a")))
        self.assertEqual((release_silenced(self.now + dt.timedelta(seconds=50)), Incident.objects.count()), (3, 3))
        self.assertEqual((release_silenced(self.now + dt.timedelta(hours=2)), Incident.objects.count()), (1, 4))

    def test_it_leaves_what_another_silence_keeps_quiet_to_that_one(self) -> None:
        other = make_silence(("host", "=~", "d."), ends_at=self.now + dt.timedelta(hours=3))
        later = self.now + dt.timedelta(hours=2)

        released = [release_silenced(later), release_silenced(later)]

        self.assertEqual((released, set(Alert.objects.values_list("silenced_by", flat=True))), ([0, 0], {other.pk}))
        self.assertEqual(self.walked(hours=2, minutes=1), 0)
        self.assertEqual((release_silenced(self.now + dt.timedelta(hours=4)), Incident.objects.count()), (3, 3))


class PruneGroupsTests(TestCase):
    def test_it_forgets_groups_that_never_came_to_an_incident(self) -> None:
        source = make_source()
        make_route(open_after_count=3, open_after_minutes=60)
        for name, at in (("old", 0), ("young", 120), ("repeated", 0), ("repeated", 24 * 60)):
            fire(source, name, at=after(at))
        for minute in range(3):
            fire(source, "opened", at=after(minute))

        forgotten = prune(after(25 * 60 + 2))

        left = {key for group in AlertGroup.objects.all() for key, _at in group.pending}
        names = set(Alert.objects.filter(key__in=left).values_list("fingerprint", flat=True))
        self.assertEqual((forgotten, names), (1, {"young", "repeated"}))
        self.assertEqual(AlertGroup.objects.count(), 3)

    def test_it_keeps_a_group_in_which_another_fires_meanwhile(self) -> None:
        source = make_source()
        make_route(open_after_count=3)
        fire(source, at=after(0))

        forgotten = _prune_over([AlertGroup.objects.get().pk], after(60))

        self.assertEqual((forgotten, AlertGroup.objects.count()), (0, 1))

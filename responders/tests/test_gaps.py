import datetime as dt
from unittest import mock

from django.test import TestCase

from core.server.jobs import all_jobs
from responders import notices
from responders.models import GapNotice
from responders.monitoring import _Gaps, collect_gaps
from responders.services.gaps import announce_gaps
from responders.tests.schedules import at, layer, make_override, make_schedule, make_team
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_responder


class GapTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ana, cls.admin, cls.outsider = make_responder(name="Ana"), make_admin(), make_responder()
        cls.schedule = make_schedule(layer(cls.ana), name="Primary", team=make_team("Database", cls.ana))
        make_override(cls.schedule, "2026-12-15T08:00", "2026-12-15T12:00", is_everybody=True)

    def setUp(self) -> None:
        self.told: list[notices.Notice] = []
        handlers = mock.patch.object(notices, "_handlers", [self.told.extend])
        handlers.start()
        self.addCleanup(handlers.stop)

    @reported_failure(9)
    def test_it_tells_once_at_each_stage(self) -> None:
        moments = {
            "2026-12-08T07:59": 0,
            "2026-12-08T08:00": 1,
            "2026-12-08T08:05": 1,
            "2026-12-14T07:59": 1,
            "2026-12-14T08:01": 2,
            "2026-12-15T07:59": 2,
            "2026-12-15T08:00": 3,
            "2026-12-15T09:00": 3,
            "2026-12-15T12:00": 3,
        }

        for moment, expected in moments.items():
            announce_gaps(at(moment))

            self.assertEqual(len(self.told), expected, moment)
        self.assertEqual([notice.is_urgent for notice in self.told], [False, False, True])
        self.assertEqual(len({notice.key for notice in self.told}), 3)
        self.assertEqual(set(self.told[0].users), {self.ana.pk, self.admin.pk})
        self.assertIn("Tue 15 Dec 2026 09:00 to Tue 15 Dec 2026 13:00, Europe/Berlin", self.told[0].body)
        self.assertTrue(self.told[0].title.endswith(" from Tue 15 Dec 2026 09:00 to Tue 15 Dec 2026 13:00"))

    @reported_failure(9)
    def test_it_tells_of_a_late_gap_once_and_never_of_the_past(self) -> None:
        announce_gaps(at("2026-12-15T06:00"))
        announce_gaps(at("2026-12-15T07:00"))
        self.assertEqual([notice.kind for notice in self.told], ["gap"])
        self.told.clear()
        GapNotice.objects.all().delete()

        announce_gaps(at("2026-12-15T12:01"))
        announce_gaps(at("2026-12-16T00:00"))

        self.assertEqual(self.told, [])

    def test_it_is_quiet_where_gaps_are_intended(self) -> None:
        type(self.schedule).objects.update(announces_gaps=False)

        self.assertEqual(announce_gaps(at("2026-12-15T08:00")), 0)

    def test_it_measures_the_week_ahead(self) -> None:
        self.enterContext(mock.patch("responders.monitoring._gaps", _Gaps()))
        with mock.patch("django.utils.timezone.now", return_value=at("2026-12-15T10:00")):
            samples = [(one.labels["schedule"], one.value) for family in collect_gaps() for one in family.samples]

        self.assertEqual(samples, [("Primary", dt.timedelta(hours=2).total_seconds())])

    def test_it_renders_schedules_for_metrics_once_a_minute(self) -> None:
        gaps, begun = _Gaps(), at("2026-12-15T07:00")
        measured = [gaps.read(begun)]

        with self.assertNumQueries(0):
            measured.append(gaps.read(begun + dt.timedelta(seconds=59)))
        type(self.schedule).objects.all().update(is_active=False)
        measured.append(gaps.read(begun + dt.timedelta(seconds=60)))

        self.assertEqual(measured, [{"Primary": 4 * 3600.0}, {"Primary": 4 * 3600.0}, {}])

    def test_it_runs_in_the_worker(self) -> None:
        self.assertIn("announce_gaps", [job.name for job in all_jobs()])

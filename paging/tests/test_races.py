"""Several workers at the same moment, and workers that die."""

import datetime as dt
from unittest import mock

from django.db import transaction
from django.test import TransactionTestCase, skipUnlessDBFeature
from django.utils import timezone

from core.db.tests.threads import at_once
from incidents import services
from incidents.models import IncidentEvent
from incidents.services import feed
from incidents.tests.factories import make_team
from paging.models import EscalationRun, Page
from paging.services import performing, starting
from paging.tests.factories import MODULES, critical, make_escalation, run_of, step
from paging.vocabulary import RunState
from tests.reported import reported_failure
from users.tests.factories import make_responder

INCIDENTS = 12
WORKERS = 4


class Died(BaseException):
    """A worker that ends at once: nothing catches it."""


class RaceCase(TransactionTestCase):
    def setUp(self) -> None:
        self.ana, self.ben = make_responder(name="Ana"), make_responder(name="Ben")
        for name in ("_page_handlers", "_cancel_handlers"):
            patch = mock.patch(f"paging.pages.{name}", new=[])
            patch.start()
            self.addCleanup(patch.stop)

    def at(self, minutes: float) -> None:
        """Have the database's clock stand so many minutes from now, in all threads."""
        for name in MODULES:
            moment = timezone.now() + dt.timedelta(minutes=minutes)
            patch = mock.patch(f"paging.services.{name}.database_now", return_value=moment)
            patch.start()
            self.addCleanup(patch.stop)

    def begin(self, number: int = INCIDENTS) -> list[int]:
        """So many incidents whose first step is due."""
        ids = [critical().pk for _ in range(number)]
        feed.assign_places()
        starting.follow_feed()
        return ids


class WorkerTests(RaceCase):
    @reported_failure(15)
    def test_it_performs_each_step_once_whatever_the_number_of_workers(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5))
        self.begin()
        self.at(0.1)

        for _ in range(3):
            at_once([lambda: performing.perform_due(3)] * WORKERS)
        while performing.perform_due():
            pass

        self.assertEqual(Page.objects.count(), INCIDENTS)
        self.assertEqual(IncidentEvent.objects.filter(kind="paged").count(), INCIDENTS)
        self.assertEqual(set(EscalationRun.objects.values_list("position", "performed")), {(1, 1)})

    def test_it_starts_each_escalation_once(self) -> None:
        make_escalation(step(self.ana))
        ids = [critical().pk for _ in range(INCIDENTS)]
        feed.assign_places()

        at_once([starting.follow_feed, *([lambda: starting.start_for(ids, timezone.now())] * (WORKERS - 1))])

        self.assertEqual(EscalationRun.objects.count(), INCIDENTS)

    @reported_failure(12)
    def test_an_acknowledgement_at_the_same_moment_leaves_nothing_waiting(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5))
        ids = self.begin(6)
        self.at(0.1)

        def acknowledge(number: int) -> None:
            services.acknowledge(performing.Incident.objects.get(pk=number), by=self.ana)

        answers = at_once(
            [lambda: performing.perform_due(2), lambda: performing.perform_due(2)]
            + [lambda number=number: acknowledge(number) for number in ids]
        )
        performing.perform_due()

        self.assertEqual([one for one in answers if isinstance(one, Exception)], [])
        self.assertEqual(
            set(EscalationRun.objects.values_list("state", "next_step_at")), {(RunState.ACKNOWLEDGED, None)}
        )
        self.assertFalse(Page.objects.waiting().exists())

    def test_it_takes_turns_among_workers(self) -> None:
        team = make_team("Web", self.ana, self.ben)
        make_escalation(step(team, strategy="round_robin"))
        self.begin(8)
        self.at(0.1)

        at_once([lambda: performing.perform_due(2)] * WORKERS)
        while performing.perform_due():
            pass

        people = list(Page.objects.values_list("user__name", flat=True))
        self.assertEqual((people.count("Ana"), people.count("Ben")), (4, 4))

    @skipUnlessDBFeature("has_select_for_update_skip_locked")
    def test_a_worker_does_not_wait_for_what_another_holds(self) -> None:
        make_escalation(step(self.ana))
        held, free = self.begin(2)
        self.at(0.1)

        with transaction.atomic():
            list(performing.Incident.objects.select_for_update().filter(pk=held))
            done = at_once([performing.perform_due])

        self.assertEqual((done, set(Page.objects.values_list("incident", flat=True))), ([1], {free}))


class CrashTests(RaceCase):
    """What is left by a worker that dies between claim and commit: nothing, so that the next one does it."""

    POINTS = (
        "paging.services.performing.load",
        "paging.services.performing.perform",
        "paging.services.writing.rows.insert",
        "paging.services.writing.save_all",
        "paging.services.writing.hand_over",
    )

    def test_it_leaves_each_step_to_be_done_once(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5))
        for point in self.POINTS:
            with self.subTest(point):
                (number,) = self.begin(1)
                self.at(0.1)

                with mock.patch(point, side_effect=Died), self.assertRaises(Died):
                    performing.perform_due()
                left = Page.objects.filter(incident=number).count()
                performing.perform_due()

                self.assertEqual((left, Page.objects.filter(incident=number).count()), (0, 1))
                self.assertEqual(performing.perform_due(), 0)

    def test_it_follows_the_feed_again_after_a_crash(self) -> None:
        make_escalation(step(self.ana))
        incident = critical()
        feed.assign_places()

        with mock.patch("paging.services.starting.rows.insert", side_effect=Died), self.assertRaises(Died):
            starting.follow_feed()
        starting.follow_feed()

        self.assertEqual(run_of(incident).state, RunState.RUNNING)

    def test_an_acknowledgement_that_fails_cancels_nothing(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5))
        self.begin(1)
        self.at(0.1)
        performing.perform_due()
        incident = performing.Incident.objects.get()

        with mock.patch("paging.services.answering.withdraw", side_effect=Died), self.assertRaises(Died):
            services.acknowledge(incident, by=self.ana)
        incident.refresh_from_db()

        self.assertEqual((incident.status, run_of(incident).state), ("open", RunState.RUNNING))
        self.assertTrue(Page.objects.waiting().exists())

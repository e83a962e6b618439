import datetime as dt

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents import services
from incidents.models import Status
from incidents.tests.factories import make_team
from paging import pages
from paging.models import EscalationAlarm, Page
from paging.services import answering
from paging.tests.cases import PagingCase
from paging.tests.factories import critical, make_escalation, paged, run_jobs, run_of, step, told
from paging.vocabulary import RunState
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_responder


def soon(minutes: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(minutes=minutes)


class AnsweringTests(PagingCase):
    def setUp(self) -> None:
        super().setUp()
        self.ana, self.ben = make_responder(name="Ana"), make_responder(name="Ben")
        self.withdrawn: list[int] = []

        def keep(page_ids, at):
            self.withdrawn.extend(page_ids)

        pages.register_cancel_handler(keep)

    @reported_failure(12)
    def test_it_cancels_what_waits_when_somebody_acknowledges(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5))
        incident = critical()
        run_jobs(soon(0.1))

        services.acknowledge(incident, by=self.ben)
        run_jobs(soon(60))

        page = Page.objects.get()
        self.assertEqual((paged(incident), self.withdrawn), (["Ana"], [page.pk]))
        self.assertIsNotNone(page.cancelled_at)
        self.assertEqual((run_of(incident).state, run_of(incident).next_step_at), (RunState.ACKNOWLEDGED, None))

    @reported_failure(12)
    def test_it_reads_the_incident_again_before_it_pages(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5))
        incident = critical()
        run_jobs(soon(0.1))
        services.acknowledge(incident, by=self.ana)
        run = run_of(incident)
        run.state, run.next_step_at = RunState.RUNNING, timezone.now()  # as if the acknowledgement had not been told
        run.save(update_fields=["state", "next_step_at"])

        run_jobs(soon(10))

        self.assertEqual((paged(incident), run_of(incident).state), (["Ana"], RunState.ACKNOWLEDGED))

    def test_it_ends_with_the_incident(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5))
        ends = {
            "resolved": lambda incident: services.resolve(incident, by=self.ana),
            "deleted": lambda incident: services.delete(incident, by=make_admin(email="root@example.com")),
            "duplicate": lambda incident: services.link(incident, critical(), "duplicate_of", by=self.ana),
        }
        for name, end in ends.items():
            with self.subTest(name):
                incident = critical()
                run_jobs(soon(0.1))

                end(incident)
                run_jobs(soon(60))

                self.assertEqual((paged(incident), run_of(incident).state), (["Ana"], RunState.ENDED))
                self.assertIsNone(run_of(incident).open_key)

    def test_it_starts_again_when_the_incident_is_reopened(self) -> None:
        make_escalation(step(self.ana))
        incident = critical()
        run_jobs(soon(0.1))
        services.resolve(incident, by=self.ana)

        services.transition(incident, Status.OPEN, by=self.ana, note="It is back")
        run_jobs(soon(0.1))

        self.assertEqual(paged(incident), ["Ana", "Ana"])

    def test_it_goes_on_until_enough_people_answered(self) -> None:
        make_escalation(step(self.ana, self.ben, needs_acks=2), step(self.ana, delay=5))
        incident = critical()
        run_jobs(soon(0.1))

        services.acknowledge(incident, by=self.ana)
        half = (run_of(incident).state, list(Page.objects.waiting().values_list("user__name", flat=True)))
        answering.record_answer(incident, self.ben, timezone.now())
        run_jobs(soon(60))

        self.assertEqual(half, (RunState.RUNNING, ["Ben"]))
        self.assertEqual((run_of(incident).state, len(paged(incident))), (RunState.ACKNOWLEDGED, 2))

    def test_it_does_not_count_one_person_twice(self) -> None:
        make_escalation(step(self.ana, self.ben, needs_acks=2))
        incident = critical()
        run_jobs(soon(0.1))

        services.acknowledge(incident, by=self.ana)
        answering.record_answer(incident, self.ana, timezone.now())

        self.assertEqual(run_of(incident).state, RunState.RUNNING)

    def test_it_clears_the_alarm(self) -> None:
        incident = critical()
        run_jobs(soon(0.1))
        raised = EscalationAlarm.objects.get()

        services.acknowledge(incident, by=self.ana)

        raised.refresh_from_db()
        self.assertEqual((raised.reason, raised.cleared_at is not None), ("no_policy", True))

    def test_it_costs_one_statement_where_nothing_waits(self) -> None:
        incident = critical()

        with CaptureQueriesContext(
            connection,
        ) as captured:
            services.acknowledge(incident, by=self.ana)

        ours = [query["sql"] for query in captured if "paging_" in query["sql"]]
        self.assertEqual(len(ours), 1)

    def test_it_costs_nothing_to_open_or_comment(self) -> None:
        with CaptureQueriesContext(connection) as captured:
            incident = critical()
            services.comment(incident, "Looking", by=self.ana)

        self.assertEqual([query for query in captured if "paging_" in query["sql"]], [])

    def test_it_changes_to_the_policy_of_the_team_that_takes_over(self) -> None:
        make_escalation(step(self.ana))
        team = make_team("Web", self.ben)
        make_escalation(step(self.ben), team=team, name="Web policy")
        incident = critical()
        run_jobs(soon(0.1))

        services.assign_team(incident, team, by=make_admin())
        run_jobs(soon(0.2))

        self.assertEqual(paged(incident), ["Ana", "Ben"])
        self.assertIn("was replaced by Web policy.", told(incident)[1])
        self.assertEqual(list(Page.objects.waiting().values_list("user__name", flat=True)), ["Ben"])

    def test_work_on_it_stops_paging_again(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5), reack_minutes=30)
        incident = critical()
        run_jobs(soon(0.1))
        services.acknowledge(incident, by=self.ana)
        run_jobs(soon(31))

        services.comment(incident, "Still at it", by=self.ana)
        run_jobs(soon(31.1))
        run_jobs(soon(40))

        self.assertEqual((paged(incident), run_of(incident).state), (["Ana", "Ana"], RunState.ACKNOWLEDGED))

    def test_it_does_not_page_again_while_on_hold(self) -> None:
        make_escalation(step(self.ana), reack_minutes=30)
        incident = critical()
        run_jobs(soon(0.1))
        services.acknowledge(incident, by=self.ana)
        services.transition(incident, Status.ON_HOLD, by=self.ana, note="Waiting for parts")

        run_jobs(soon(45))

        self.assertEqual((paged(incident), run_of(incident).state), (["Ana"], RunState.ACKNOWLEDGED))

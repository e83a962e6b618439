import datetime as dt
from unittest import mock

from django.utils import timezone

from core.severity import Severity
from incidents import services
from incidents.models import Incident
from incidents.tests.factories import make_team
from paging.models import EscalationAlarm, EscalationRun, Page
from paging.services import answering, performing, starting
from paging.tests.cases import PagingCase
from paging.tests.factories import clock, critical, make_escalation, paged, rota, run_jobs, run_of, step, target, told
from paging.vocabulary import RunState
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_responder


def after(incident: Incident, minutes: float) -> dt.datetime:
    """A moment so many minutes after an incident was opened."""
    return incident.created_at + dt.timedelta(minutes=minutes)


class PerformingTests(PagingCase):
    def setUp(self) -> None:
        super().setUp()
        self.ana, self.ben = make_responder(name="Ana"), make_responder(name="Ben")

    def test_it_pages_who_is_on_call_then_escalates(self) -> None:
        make_escalation(step(rota(self.ana)), step(self.ben, delay=5))
        incident = critical()

        run_jobs(after(incident, 0.1))
        first = paged(incident)
        run_jobs(after(incident, 4))
        still = paged(incident)
        run_jobs(after(incident, 5.2))

        self.assertEqual((first, still, paged(incident)), (["Ana"], ["Ana"], ["Ana", "Ben"]))
        self.assertTrue(told(incident)[0].startswith("Paged Ana (on call in Primary, layer Weekdays"), told(incident))
        self.assertEqual(told(incident)[1], "Paged Ben (named directly).")
        self.assertEqual(run_of(incident).state, RunState.RUNNING)

    def test_it_gives_up_after_the_last_wait_and_tells_all_administrators(self) -> None:
        admin = make_admin(name="Root")
        make_escalation(step(self.ana), step(self.ben, delay=5), on_exhausted=[admin])
        incident = critical()
        for minutes in (0, 5, 9):
            run_jobs(after(incident, minutes + 0.1))
        before = EscalationAlarm.objects.count()

        with mock.patch("paging.services.alarming.announce") as announced:
            run_jobs(after(incident, 10.2))

        notice = announced.call_args.args[0]
        self.assertEqual((before, paged(incident)), (0, ["Ana", "Ben", "Root"]))
        self.assertEqual(run_of(incident).state, RunState.EXHAUSTED)
        self.assertEqual((notice.is_urgent, notice.by_every_means, notice.users), (True, True, (admin.pk,)))
        self.assertIn("nobody has answered", EscalationAlarm.objects.get().detail)

    def test_it_repeats_the_steps(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5), repeat=1)
        incident = critical()

        for minutes in (0, 5, 10, 15, 20, 25):
            run_jobs(after(incident, minutes + 0.5))

        self.assertEqual(paged(incident), ["Ana", "Ben", "Ana", "Ben"])
        self.assertEqual(run_of(incident).state, RunState.EXHAUSTED)

    @reported_failure(9)
    def test_it_falls_through_an_empty_step_at_once_and_says_so(self) -> None:
        make_escalation(step(rota(name="Primary")), step(rota(self.ben, name="Second"), delay=30))
        incident = critical()

        run_jobs(after(incident, 0.1))

        self.assertEqual(paged(incident), ["Ben"])
        self.assertEqual(told(incident)[0], "Step 1 was skipped: nobody to page in Primary.")

    @reported_failure(9)
    def test_it_pages_another_in_place_of_an_empty_step(self) -> None:
        make_escalation(step(rota(), if_empty=target(self.ben)))
        incident = critical()

        run_jobs(after(incident, 0.1))

        self.assertEqual(paged(incident), ["Ben"])
        self.assertIn("nobody to page in Primary, Ben instead", told(incident)[0])

    @reported_failure(9)
    def test_it_raises_the_alarm_for_an_empty_step_that_asks_for_it(self) -> None:
        make_escalation(step(rota(), if_empty="alarm"), step(self.ben))
        incident = critical()

        run_jobs(after(incident, 0.1))

        self.assertEqual((paged(incident), EscalationAlarm.objects.get().reason), (["Ben"], "empty_step"))

    @reported_failure(9)
    def test_it_raises_the_alarm_at_once_where_all_steps_are_empty(self) -> None:
        make_escalation(step(rota()), step(rota(name="Second"), delay=30), repeat=3)
        incident = critical()

        run_jobs(after(incident, 0.1))

        self.assertEqual((paged(incident), run_of(incident).state), ([], RunState.EXHAUSTED))
        self.assertEqual(EscalationAlarm.objects.get().reason, "exhausted")

    @reported_failure(13)
    def test_it_catches_up_without_a_burst(self) -> None:
        make_escalation(step(self.ana), step(self.ben, delay=5), step(self.ana, self.ben, delay=5))
        incident = critical()
        run_jobs(after(incident, 0.1))

        run_jobs(after(incident, 192))
        late = paged(incident)
        run_jobs(after(incident, 193))

        self.assertEqual((late, paged(incident)), (["Ana", "Ben"], ["Ana", "Ben"]))
        self.assertEqual(Page.objects.get(user=self.ben).message, "Open for 3 h 12 min.")
        self.assertEqual(run_of(incident).next_step_at, after(incident, 197))

    def test_it_pages_each_person_once_in_a_step_with_all_reasons(self) -> None:
        team = make_team("Web", self.ana)
        make_escalation(step(self.ana, team))
        incident = critical()

        run_jobs(after(incident, 0.1))

        page = Page.objects.get()
        self.assertEqual((page.user, page.why), (self.ana, "Named directly; Member of Web"))

    def test_it_takes_turns(self) -> None:
        team = make_team("Web", self.ana, self.ben)
        make_escalation(step(team, strategy="round_robin"))
        incidents = [critical() for _ in range(3)]

        for incident in incidents:
            run_jobs(after(incident, 0.1))

        self.assertEqual([paged(one) for one in incidents], [["Ana"], ["Ben"], ["Ana"]])

    def test_it_pages_with_low_importance_for_low_severity(self) -> None:
        make_escalation(step(self.ana))
        incident = critical(severity=Severity.LOW)

        run_jobs(after(incident, 0.1))

        self.assertEqual(Page.objects.get().importance, "low")

    def test_it_does_not_page_people_who_cannot_see_a_restricted_incident(self) -> None:
        team = make_team("Web", self.ben)
        make_escalation(step(self.ana), step(self.ben, delay=30))
        incident = critical(is_restricted=True, team=team, by=make_admin())

        run_jobs(after(incident, 0.1))

        self.assertEqual(paged(incident), ["Ben"])
        self.assertIn("Ana cannot see the restricted incident", told(incident)[0])

    def test_it_goes_on_with_the_others_when_one_is_faulty(self) -> None:
        make_escalation(step(self.ana))
        good, bad = critical(), critical()
        with clock(after(bad, 0.1)):
            starting.feed.assign_places()
            starting.follow_feed()
        EscalationRun.objects.filter(incident=bad).update(policy_values={"steps": [{"targets": [{}]}]})

        with self.assertLogs("paging.services.performing", level="ERROR"):
            run_jobs(after(bad, 0.1))

        self.assertEqual((paged(good), paged(bad)), (["Ana"], []))
        self.assertIn("KeyError", run_of(bad).failure)
        self.assertEqual(run_of(bad).next_step_at, after(bad, 1.1))

    def test_it_waits_for_the_hours_of_a_low_incident(self) -> None:
        hours = {"time_zone": "UTC", "weekdays": [0], "from": "08:00", "to": "18:00"}
        make_escalation(step(self.ana, only_in={"business_hours": hours}))
        incident = critical(severity=Severity.LOW)
        sunday = dt.datetime(2027, 3, 7, 12, tzinfo=dt.UTC)
        Incident.objects.filter(pk=incident.pk).update(clock_started_at=sunday)

        run_jobs(sunday)
        waiting = paged(incident)
        run_jobs(sunday + dt.timedelta(hours=20))

        self.assertEqual((waiting, paged(incident)), ([], ["Ana"]))
        self.assertIn("Nobody is paged before 2027-03-08 08:00 UTC", told(incident)[1])

    def test_it_costs_few_statements_for_many(self) -> None:
        make_escalation(step(rota(self.ana)))
        for _ in range(40):
            critical()
        with clock(timezone.now()):
            starting.feed.assign_places()
            starting.follow_feed()
            with self.assertNumQueries(11):
                performing.perform_due()

        self.assertEqual(Page.objects.count(), 40)


class FailureTests(PagingCase):
    def test_it_goes_on_at_once_when_every_attempt_failed(self) -> None:
        ana, ben = make_responder(name="Ana"), make_responder(name="Ben")
        make_escalation(step(ana), step(ben, delay=30))
        incident = critical()
        run_jobs(after(incident, 0.1))

        answering.page_failed(list(Page.objects.values_list("pk", flat=True)), after(incident, 1))
        run_jobs(after(incident, 1.1))

        self.assertEqual(paged(incident), ["Ana", "Ben"])
        self.assertEqual(EscalationAlarm.objects.get().reason, "all_failed")

    def test_it_neither_repeats_nor_gives_up_at_once_when_the_last_step_failed(self) -> None:
        make_escalation(step(make_responder(name="Ana")), repeat=2)
        incident = critical()
        run_jobs(after(incident, 0.1))

        answering.page_failed([Page.objects.get().pk], after(incident, 1))
        run_jobs(after(incident, 1.1))
        at_once = (len(paged(incident)), EscalationAlarm.objects.get().reason, run_of(incident).state)
        run_jobs(after(incident, 6.2))

        self.assertEqual(at_once, (1, "all_failed", RunState.RUNNING))
        self.assertEqual(len(paged(incident)), 2)
        self.assertEqual(EscalationAlarm.objects.count(), 1)


class ReackTests(PagingCase):
    def test_it_pages_again_when_nobody_works_on_it(self) -> None:
        ana = make_responder(name="Ana")
        make_escalation(step(ana), reack_minutes=30)
        incident = critical()
        run_jobs(after(incident, 0.1))
        services.acknowledge(incident, by=ana)
        acknowledged = run_of(incident).acknowledged_at or incident.created_at

        run_jobs(acknowledged + dt.timedelta(minutes=29))
        quiet = paged(incident)
        run_jobs(acknowledged + dt.timedelta(minutes=30, seconds=5))

        self.assertEqual((quiet, paged(incident)), (["Ana"], ["Ana", "Ana"]))
        self.assertIn("Nobody has worked on it for 30 min", told(incident)[1])
        self.assertEqual(run_of(incident).state, RunState.RUNNING)

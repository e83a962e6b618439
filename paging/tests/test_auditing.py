import datetime as dt
from unittest import mock

from django.test import override_settings
from django.utils import timezone

from core.outbound.client import Answer, Unreachable
from core.severity import Severity
from incidents import services
from incidents.models import Incident, IncidentEvent
from incidents.services import feed
from paging import pages
from paging.models import AuditPass, EscalationRun, Page
from paging.monitoring import audit_check
from paging.services import auditing
from paging.tests.cases import PagingCase
from paging.tests.factories import clock, critical, make_escalation, paged, run_jobs, run_of, step
from tests.reported import reported_failure
from users.tests.factories import make_admin, make_responder


class AuditTests(PagingCase):
    def setUp(self) -> None:
        super().setUp()
        self.ana = make_responder(name="Ana")
        self.later = timezone.now() + dt.timedelta(minutes=10)

    def audit(self) -> list[str]:
        """What a complete pass ten minutes from now finds."""
        with clock(self.later):
            auditing.audit(self.later)
        return AuditPass.objects.get(name=auditing.NAME).last_findings

    @reported_failure(10)
    def test_it_starts_what_the_engine_has_missed(self) -> None:
        make_escalation(step(self.ana))
        incident = critical()
        feed.assign_places()
        auditing.starting.feed.consume(auditing.starting.READER, lambda events: None)  # lost by whatever fault

        found = self.audit()
        run_jobs(self.later)
        again = self.audit()

        self.assertIn(f"{incident.reference} had nobody paged", found[0])
        self.assertEqual((paged(incident), again), (["Ana"], []))

    @reported_failure(10)
    def test_it_looks_at_all_open_incidents_however_old(self) -> None:
        make_escalation(step(self.ana))
        old = [critical() for _ in range(7)]
        feed.assign_places()
        auditing.starting.feed.consume(auditing.starting.READER, lambda events: None)
        year = timezone.now() - dt.timedelta(days=400)
        Incident.objects.update(created_at=year, clock_started_at=year)

        with mock.patch.object(auditing, "SLICE", 2):
            found = self.audit()

        self.assertEqual(sum(sentence.count("INC-") for sentence in found), 7)
        self.assertEqual(EscalationRun.objects.count(), len(old))

    def test_it_says_when_the_feed_is_not_followed(self) -> None:
        make_escalation(step(self.ana))
        critical()
        feed.assign_places()
        IncidentEvent.objects.update(received_at=timezone.now())

        self.assertIn("have not been read for escalation", self.audit()[0])

    def test_it_frees_what_is_stuck_and_names_what_is_overdue(self) -> None:
        make_escalation(step(self.ana))
        stuck, overdue = critical(), critical()
        with clock(timezone.now()):
            feed.assign_places()
            auditing.starting.follow_feed()
        EscalationRun.objects.filter(incident=stuck).update(next_step_at=None)

        found = self.audit()

        self.assertIn(f"Steps for {overdue.reference} are overdue", found[0])
        self.assertIn(f"Escalations of {stuck.reference} were stuck", found[1])
        self.assertEqual(run_of(stuck).next_step_at, self.later)

    def test_it_hands_pages_over_again_that_nothing_delivers(self) -> None:
        make_escalation(step(self.ana))
        run_jobs(critical().created_at)
        handed: list[Page] = []
        pages.register_undelivered(lambda found: [page.pk for page in found])
        pages.register_page_handler(handed.extend)
        EscalationRun.objects.update(next_step_at=self.later)

        found, again = self.audit(), self.audit()

        self.assertIn("had no delivery; handed over again", found[0])
        self.assertEqual(([page.pk for page in handed], again), ([Page.objects.get().pk], []))

    def test_it_passes_over_no_page_that_is_too_young(self) -> None:
        make_escalation(step(self.ana))
        run_jobs(critical().created_at)
        run_jobs(critical().created_at)
        young, old = Page.objects.order_by("pk")
        handed: list[Page] = []
        pages.register_undelivered(lambda found: [page.pk for page in found])
        pages.register_page_handler(handed.extend)
        EscalationRun.objects.update(next_step_at=self.later + dt.timedelta(hours=1))
        Page.objects.filter(pk=young.pk).update(created_at=self.later)
        Page.objects.filter(pk=old.pk).update(created_at=self.later - dt.timedelta(minutes=5))

        self.audit()
        early = list(handed)
        self.later += dt.timedelta(minutes=3)
        self.audit()

        self.assertEqual((early, [page.pk for page in handed]), ([], [young.pk, old.pk]))

    @reported_failure(10)
    def test_it_heals_the_others_where_one_cannot_be_started(self) -> None:
        make_escalation(step(self.ana))
        incidents = [critical() for _ in range(3)]
        feed.assign_places()
        auditing.starting.feed.consume(auditing.starting.READER, lambda events: None)
        start = auditing.starting.start_for

        def fail(numbers, now):
            if incidents[1].pk in numbers:
                raise RuntimeError("poison")
            return start(numbers, now)

        with mock.patch.object(auditing.starting, "start_for", fail):
            found = self.audit()

        self.assertIn(f"{incidents[1].reference} cannot be started: RuntimeError: poison", found[0])
        self.assertEqual(
            set(EscalationRun.objects.values_list("incident", flat=True)), {incidents[0].pk, incidents[2].pk}
        )

    def test_it_finds_nothing_where_all_is_well(self) -> None:
        quiet = critical(severity=Severity.LOW)
        make_escalation(step(self.ana), is_default=False)
        answered = critical()
        services.acknowledge(answered, by=self.ana)
        imported = critical()
        IncidentEvent.objects.filter(incident=imported).update(feed_seq=0)
        feed.assign_places()
        auditing.starting.follow_feed()

        self.assertEqual(self.audit(), [])
        self.assertFalse(EscalationRun.objects.exists(), quiet)
        with clock(self.later):
            self.assertIn("open incidents looked at", audit_check())

    def test_it_tells_administrators_what_it_found(self) -> None:
        make_escalation(step(self.ana))
        admin = make_admin()
        critical()
        feed.assign_places()
        auditing.starting.feed.consume(auditing.starting.READER, lambda events: None)

        with mock.patch.object(auditing, "announce") as announced:
            self.audit()

        self.assertEqual(announced.call_args.args[0].users, (admin.pk,))


@override_settings(DEADMAN_URL="http://127.0.0.1:9/ping")
class OutsideWatchTests(PagingCase):
    def ping(self, at: dt.datetime, **answer) -> int:
        """How often the address was requested."""
        with mock.patch.object(auditing.Client, "request", **answer) as request, clock(at):
            auditing.audit(at)
        return request.call_count

    def test_it_pings_once_a_minute_while_all_is_well(self) -> None:
        now, well = timezone.now(), {"return_value": Answer(200, {}, b"")}
        times = [now, now + dt.timedelta(seconds=20), now + dt.timedelta(seconds=70)]

        self.assertEqual([self.ping(at, **well) for at in times], [1, 0, 1])

    @reported_failure(10)
    def test_it_does_not_ping_when_something_is_wrong(self) -> None:
        make_escalation(step(make_responder()))
        incident = critical()
        run_jobs(incident.created_at)
        EscalationRun.objects.update(next_step_at=incident.created_at)

        asked = self.ping(incident.created_at + dt.timedelta(minutes=5), return_value=Answer(200, {}, b""))

        self.assertEqual(asked, 0)

    def test_it_survives_a_watch_that_does_not_answer(self) -> None:
        self.assertEqual(self.ping(timezone.now(), side_effect=Unreachable("ConnectError")), 1)

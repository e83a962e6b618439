import datetime as dt

from django.urls import reverse
from django.utils import timezone

from alerts.models import ChangeEvent, Heartbeat
from alerts.tests.back_office import BackOfficeCase
from alerts.tests.factories import fire, make_route, make_silence, make_source, resolve
from intake.models import IntakeEvent
from intake.services.queue import dismiss, replay
from intake.vocabulary import IntakeState


class IncidentPageTests(BackOfficeCase):
    def test_it_shows_alerts_and_what_changed_before(self) -> None:
        source = make_source(team=self.team, group_by=["cluster"])
        over = fire(source, "over", title="Over now", labels={"cluster": "eu"})
        fire(source, "disk", title="Disk <b>full</b>", labels={"cluster": "eu"})
        resolve(source, "over", labels={"cluster": "eu"})
        now = timezone.now()
        for summary, minutes in (("Deploy 4.18", 30), ("Deploy 4.17", 90)):
            at = now - dt.timedelta(minutes=minutes)
            ChangeEvent.objects.create(summary=summary, occurred_at=at, received_at=at)
        self.sign_in(self.responder)

        text = self.client.get(reverse("admin:incidents_incident_change", args=[over.incident_id])).content.decode()

        self.assertIn("Disk &lt;b&gt;full", text)
        self.assertLess(text.index("Disk &lt;b&gt;full&lt;/b&gt;</a>"), text.index("Over now</a>"))
        self.assertIn("Deploy 4.18", text)
        self.assertNotIn("Deploy 4.17", text)

    def test_it_costs_the_same_at_any_number_of_alerts(self) -> None:
        source = make_source(team=self.team, group_by=["cluster"])
        alert = fire(source, labels={"cluster": "eu"})
        self.sign_in(self.responder)
        url = reverse("admin:incidents_incident_change", args=[alert.incident_id])
        few = len(self.queries(url))
        for number in range(30):
            fire(source, str(number), labels={"cluster": "eu"})

        many = self.queries(url)

        self.assertLessEqual(len(many), few)  # one fewer: those that fire fill the list
        self.assertContains(self.client.get(url), "show all")


class HomePageTests(BackOfficeCase):
    def setUp(self) -> None:
        now = timezone.now()
        self.source = make_source(name="Shop")
        long_ago = now - dt.timedelta(days=3)
        make_source(name="Quiet one", heartbeat_minutes=5, last_received_at=long_ago, awaited_since=long_ago)
        make_source(name="Asked just now", heartbeat_minutes=5, last_received_at=long_ago)
        make_source(name="Switched off", heartbeat_minutes=5, last_received_at=long_ago, is_enabled=False)
        Heartbeat.objects.create(source=self.source, name="nightly-export", last_ping_at=long_ago)
        for state, reason in ((IntakeState.FAILED, "Torn <b>off</b>."), (IntakeState.LIMITED, "")):
            IntakeEvent.objects.create(
                source=self.source, format="x", state=state, reason=reason, body=b"", received_at=now
            )

    def test_it_dismisses_what_failed(self) -> None:
        self.sign_in(self.admin)
        home = reverse("admin:index")
        failed = IntakeEvent.objects.get(state=IntakeState.FAILED)
        shown = self.client.get(home).content.decode()
        later = IntakeEvent.objects.create(
            source=self.source,
            format="x",
            state=IntakeState.FAILED,
            reason="Later.",
            body=b"",
            received_at=timezone.now(),
        )

        self.client.post(reverse("admin:intake_intakeevent_dismiss_all"), {"last": failed.pk})

        failed.refresh_from_db()
        self.assertIn(reverse("admin:intake_intakeevent_change", args=[failed.pk]), shown)
        self.assertEqual((failed.state, failed.dismissed_by), (IntakeState.FAILED, self.admin))
        self.assertNotContains(self.client.get(home), "Torn")
        self.assertContains(self.client.get(home), "Later.")
        self.client.post(reverse("admin:intake_intakeevent_dismiss", args=[later.pk]))
        self.assertNotContains(self.client.get(home), "Later.")
        self.assertContains(self.client.get(reverse("admin:intake_intakeevent_changelist")), "dismissed")

    def test_it_shows_what_was_dismissed_again_where_a_replay_fails(self) -> None:
        failed = IntakeEvent.objects.get(state=IntakeState.FAILED)
        dismiss(IntakeEvent.objects.all(), by=self.admin)

        replay([failed.pk])

        failed.refresh_from_db()
        self.assertIsNone(failed.dismissed_at)

    def test_it_shows_administrators_what_does_not_come_in(self) -> None:
        self.sign_in(self.admin)

        answer = self.client.get(reverse("admin:index"))

        for text in (
            "1 failed",
            "Torn &lt;b&gt;off",
            "nightly-export (Shop)",
            "Quiet one",
            "exceeded its rate limit",
        ):
            self.assertContains(answer, text)
        for text in ("Switched off", "Asked just now"):
            self.assertNotContains(answer, text)

    def test_it_is_silent_while_all_is_well_and_to_others(self) -> None:
        self.sign_in(self.responder)
        others = self.client.get(reverse("admin:index"))
        IntakeEvent.objects.all().delete()
        Heartbeat.objects.all().delete()
        type(self.source).objects.update(heartbeat_minutes=None)
        self.sign_in(self.admin)

        well = self.client.get(reverse("admin:index"))

        self.assertNotContains(others, "Intake problems")
        self.assertNotContains(well, "Intake problems")

    def test_it_tells_of_conditions_that_were_stored_before_they_were_refused(self) -> None:
        make_silence(("team", "=~", ".*"), comment="Quiet for all")
        make_silence(("team", "=~", "(?!db).+"), comment="Quiet for none")
        make_silence(("team", "=", "db"), comment="Quiet for some")
        make_route(name="Away with it", is_drop=True)
        self.sign_in(self.admin)

        answer = self.client.get(reverse("admin:index"))
        listed = self.client.get(reverse("admin:alerts_silence_changelist"))

        for text in ("Quiet for all", "Quiet for none", "Away with it", "Ask for a value", "look-ahead"):
            self.assertContains(answer, text)
        self.assertNotContains(answer, "Quiet for some")
        self.assertContains(listed, "needs fixing", count=1)
        self.assertContains(listed, "invalid: matches nothing", count=1)

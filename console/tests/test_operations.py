import datetime as dt
from typing import Any
from unittest import mock

from django.urls import reverse
from django.utils import timezone

from console.tests.test_oncall_pages import OnCallCase
from core.models import JobRun
from incidents.models import Incident
from incidents.tests.factories import make_incident
from notifications.models import ContactMethod, Delivery, DeliveryAttempt
from notifications.vocabulary import State
from paging.models import EscalationAlarm, Page


class DeliveryTests(OnCallCase):
    def setUp(self) -> None:
        super().setUp()
        self.number = 0
        self.incident = make_incident()

    def delivery(self, **fields: Any) -> Delivery:
        self.number += 1
        now = timezone.now()
        plain = {"key": f"{self.number:064}", "kind": "page", "channel": "email", "recipient": "Ana, by mail"}
        row = Delivery.objects.create(
            **{**plain, "created_at": now, "due_at": now, "incident": self.incident, "user": self.ana, **fields}
        )
        DeliveryAttempt.objects.create(delivery=row, number=1, at=now, outcome="failed", detail="550 no such user")
        return row

    def test_it_is_for_administrators(self) -> None:
        row = self.delivery(state=State.FAILED)
        for user, status in ((self.reporter, 403), (self.ana, 403), (self.admin, 200)):
            with self.subTest(user.name):
                self.assertEqual(self.get(user, "deliveries").status_code, status)
        for user in (self.reporter, self.ana):
            self.assertEqual(self.post(user, "delivery-retry", row.pk).status_code, 403)

    def test_it_shows_attempts_and_filters(self) -> None:
        self.delivery(state=State.FAILED, reason="Mailbox gone")
        self.delivery(state=State.ANSWERED, recipient="Ben, by mail", user=self.ben)

        failed = self.get(
            self.admin, "deliveries", state="failed", incident=f"INC-{self.incident.pk}", user=self.ana.pk
        )
        none = self.get(self.admin, "deliveries", channel="sms")
        wrong = self.get(self.admin, "deliveries", state="lost")

        self.assertContains(failed, "550 no such user")
        self.assertContains(failed, "Mailbox gone")
        self.assertNotContains(failed, "Ben, by mail")
        self.assertContains(none, "No delivery fits this filter.")
        self.assertEqual(wrong.status_code, 400)

    def test_it_leaves_empty_fields_out_of_its_address(self) -> None:
        response = self.get(self.admin, "deliveries", state="", user="", channel="email")

        self.assertRedirects(response, f"{reverse('console:deliveries')}?channel=email")

    def test_it_acts(self) -> None:
        failed, held = (
            self.delivery(state=State.FAILED),
            self.delivery(state=State.HELD, next_attempt_at=timezone.now()),
        )
        waiting = self.delivery(next_attempt_at=timezone.now())

        for name, row in (("retry", failed), ("release", held), ("cancel", waiting)):
            self.assertRedirects(self.post(self.admin, f"delivery-{name}", row.pk), reverse("console:deliveries"))

        states = [Delivery.objects.get(pk=row.pk).state for row in (failed, held, waiting)]
        self.assertEqual(states, [State.WAITING, State.WAITING, State.CANCELLED])
        self.assertContains(self.post(self.admin, "delivery-release", failed.pk), "Only what is held", status_code=409)
        self.assertEqual(self.get(self.admin, "delivery-retry", failed.pk).status_code, 405)

    def test_it_costs_the_same_for_many(self) -> None:
        self.delivery()
        self.get(self.admin, "deliveries")
        before = self.cost("deliveries")
        for _number in range(5):
            self.delivery()

        self.assertEqual(self.cost("deliveries"), before)
        self.assertLessEqual(before, 12)


class SystemTests(OnCallCase):
    def setUp(self) -> None:
        super().setUp()
        outcomes = {
            "database": {"status": "ok", "detail": "answers"},
            "worker": {"status": "failed", "detail": "No worker has run yet."},
        }
        patch = mock.patch("console.views.system.current_outcomes", return_value=outcomes)
        patch.start()
        self.addCleanup(patch.stop)

    def test_it_is_whole_for_administrators_and_short_for_others(self) -> None:
        JobRun.objects.create(name="deliver", started_at=timezone.now(), failed_at=timezone.now(), error="It broke")

        admin, responder, reporter = (self.get(one, "system") for one in (self.admin, self.ana, self.reporter))

        self.assertContains(admin, "Queues")
        self.assertContains(admin, "Intake problems")
        self.assertContains(responder, "No worker has run yet.")
        self.assertNotContains(responder, "Queues")
        self.assertContains(reporter, "Something does not work.")
        self.assertNotContains(reporter, "No worker has run yet.")
        self.assertNotContains(reporter, "Nobody was reached")

    def test_it_lists_alarms_of_incidents_that_one_may_see(self) -> None:
        secret = make_incident(title="Secret fire", is_restricted=True)
        EscalationAlarm.objects.create(
            incident=secret, reason="exhausted", detail="Nobody answered.", key="one", raised_at=timezone.now()
        )

        self.assertContains(self.get(self.admin, "system"), "Secret fire")
        self.assertNotContains(self.get(self.ana, "system"), "Secret fire")

    def test_it_answers_scripts_with_the_part_alone(self) -> None:
        self.client.force_login(self.admin)

        response = self.client.get(reverse("console:system"), headers={"HX-Request": "true"})

        self.assertNotContains(response, "<html")
        self.assertContains(response, "Checks")


class LoadTests(OnCallCase):
    def test_it_counts_pages_nights_and_planned_hours(self) -> None:
        incident = make_incident()
        self.ana.time_zone = "Europe/Zurich"
        self.ana.save(update_fields=["time_zone"])
        night = timezone.now().replace(hour=2, minute=0) - dt.timedelta(days=1)
        for number in range(2):
            Page.objects.create(
                incident=incident,
                user=self.ana,
                target_kind="user",
                target_id=self.ana.pk,
                key=f"page {number}",
                target_name="Ana",
                why="On call",
                importance="high",
                created_at=night + dt.timedelta(minutes=number),
            )

        response = self.get(self.ben, "on-call-load")

        row = next(row for row in response.context["rows"] if row["user_id"] == self.ana.pk)
        self.assertEqual((row["pages"], row["night_pages"], row["broken_nights"], row["repeats"]), (2, 2, 1, 1))
        self.assertGreater(row["hours"] + row["planned"], 100)
        self.assertEqual(Incident.objects.count(), 1)

    def test_it_is_for_responders(self) -> None:
        for name in ("on-call-load", "readiness"):
            self.assertEqual(self.get(self.reporter, name).status_code, 403)
            self.assertEqual(self.get(self.other, name).status_code, 200)

    def test_it_refuses_what_it_does_not_offer(self) -> None:
        self.assertEqual(self.get(self.ana, "on-call-load", days="7").status_code, 400)
        self.assertEqual(self.get(self.ana, "on-call-load", schedule="999").status_code, 400)
        self.assertEqual(self.get(self.ana, "on-call-load", schedule=self.schedule.pk, days="91").status_code, 200)

    def test_it_lists_who_cannot_be_reached_and_why(self) -> None:
        ContactMethod.objects.create(
            user=self.ana, kind="email", address="ana@example.com", state="ok", verified_at=timezone.now()
        )

        response = self.get(self.ben, "readiness")

        self.assertContains(response, "No contact method.")
        self.assertContains(response, "schedule Kitchen rota")

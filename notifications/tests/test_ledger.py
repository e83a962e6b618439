import datetime as dt

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from incidents.models import Incident
from incidents.tests.factories import make_incident
from notifications.models import Delivery, Notification
from notifications.tests.factories import make_delivery, make_method
from notifications.vocabulary import Kind, State
from users.tests.factories import client_of, make_admin, make_reporter, make_responder

DELIVERIES = "/api/v1/deliveries/"
INBOX = "/api/v1/me/notifications/"


class LedgerTests(TestCase):
    def setUp(self) -> None:
        self.admin, self.ana = make_admin(), make_responder(name="Ana")
        self.mail = make_method(self.ana, "email", "ana@example.org")
        self.api = client_of(self.admin)

    def test_it_lists_deliveries_with_their_state_and_no_address(self) -> None:
        failed = make_delivery(self.mail, state=State.FAILED, reason="Refused.", next_attempt_at=None)
        make_delivery(self.mail)

        page = self.api.get(DELIVERIES, {"state": "failed", "user": self.ana.pk, "channel": "email"}).json()

        self.assertEqual([one["id"] for one in page["results"]], [failed.pk])
        self.assertEqual(page["results"][0]["reason"], "Refused.")
        self.assertNotIn("ana@example.org", str(page))

    def test_it_reads_a_list_in_a_constant_number_of_queries(self) -> None:
        for _ in range(3):
            make_delivery(self.mail)
        self.api.get(DELIVERIES)

        with self.assertNumQueries(2):
            self.api.get(DELIVERIES)

    def test_it_refuses_unknown_states_and_filters(self) -> None:
        for query in ({"state": "sent"}, {"status": "failed"}, {"incident": "INC"}):
            with self.subTest(query):
                self.assertEqual(self.api.get(DELIVERIES, query).status_code, 400)

    def test_it_retries_cancels_and_releases(self) -> None:
        later = timezone.now() + dt.timedelta(hours=1)
        failed = make_delivery(self.mail, state=State.FAILED, next_attempt_at=None)
        waiting = make_delivery(self.mail, next_attempt_at=later)
        held = make_delivery(self.mail, state=State.HELD, held_because="Quiet hours.", next_attempt_at=later)

        answers = [
            self.api.post(f"{DELIVERIES}{one.pk}/{action}/").json()
            for one, action in ((failed, "retry"), (waiting, "cancel"), (held, "release"))
        ]

        self.assertEqual([one["state"] for one in answers], ["waiting", "cancelled", "waiting"])
        self.assertEqual(answers[2]["held_because"], "")

    def test_it_awaits_no_receipt_of_the_attempt_before(self) -> None:
        sent = make_delivery(
            self.mail, state=State.ACCEPTED, next_attempt_at=None, receipt_due_at=timezone.now(), provider_id="1"
        )

        self.api.post(f"{DELIVERIES}{sent.pk}/retry/")

        sent.refresh_from_db()
        self.assertEqual((sent.state, sent.receipt_due_at), (State.WAITING, None))

    def test_it_refuses_what_the_state_forbids(self) -> None:
        waiting = make_delivery(self.mail)

        answer = self.api.post(f"{DELIVERIES}{waiting.pk}/release/")

        self.assertEqual((answer.status_code, answer.json()["code"]), (409, "not_held"))

    def test_it_acts_from_the_admin_list(self) -> None:
        failed = make_delivery(self.mail, state=State.FAILED, next_attempt_at=None)
        self.client.force_login(self.admin)

        page = self.client.get(reverse("admin:notifications_delivery_changelist"))
        self.client.post(
            reverse("admin:notifications_delivery_changelist"),
            {"action": "retry_selected", "_selected_action": [failed.pk]},
        )

        self.assertContains(page, "Ana")
        self.assertEqual(Delivery.objects.get().state, State.WAITING)

    def test_it_takes_any_number_for_a_filter_of_the_admin_list(self) -> None:
        make_delivery(self.mail)
        self.client.force_login(self.admin)

        for number in ("9" * 30, "-" + "9" * 30, "0"):
            page = self.client.get(reverse("admin:notifications_delivery_changelist"), {"incident": number})

            self.assertIn(page.status_code, (200, 302), number)


class InboxTests(TestCase):
    def setUp(self) -> None:
        self.ana, self.ben = make_reporter(), make_reporter()
        for number in range(3):
            Notification.objects.create(
                key=f"{number}", user=self.ana, kind=Kind.UPDATE, title=f"Number {number}", created_at=timezone.now()
            )

    def test_it_lists_the_callers_entries_and_counts_the_unread(self) -> None:
        page = client_of(self.ana).get(INBOX, {"page_size": 2}).json()
        other = client_of(self.ben).get(INBOX).json()

        self.assertEqual([one["title"] for one in page["results"]], ["Number 2", "Number 1"])
        self.assertEqual((page["unread"], other["unread"], other["results"]), (3, 0, []))

    def test_it_marks_the_callers_own_entries_read(self) -> None:
        first = Notification.objects.get(key="0")

        others = client_of(self.ben).post(f"{INBOX}read/", {"ids": [first.pk]}, format="json")
        own = client_of(self.ana).post(f"{INBOX}read/", {"ids": [first.pk]}, format="json")

        self.assertEqual((others.json()["unread"], own.json()["unread"]), (0, 2))
        self.assertEqual(client_of(self.ana).get(INBOX, {"unread": "false"}).json()["results"][0]["id"], first.pk)
        self.assertEqual(client_of(self.ana).post(f"{INBOX}read/", {"all": True}, format="json").json()["unread"], 0)

    def test_it_tells_no_more_than_the_reference_once_access_has_ended(self) -> None:
        incident = make_incident(by=self.ana)
        Notification.objects.update(incident=incident, body="The password is 1234")
        seen = client_of(self.ana).get(INBOX).json()["results"]
        incident.subscriptions.all().delete()

        hidden = client_of(self.ana).get(INBOX).json()["results"]

        self.assertEqual((seen[0]["title"], seen[0]["body"]), ("Number 2", "The password is 1234"))
        self.assertEqual({(one["title"], one["body"]) for one in hidden}, {(incident.reference, "")})

    def test_it_tells_no_more_than_the_reference_once_an_incident_is_restricted(self) -> None:
        incident, ben = make_incident(by=self.ana), make_responder()
        Notification.objects.update(incident=incident, user=ben)
        Incident.objects.update(is_restricted=True)
        api = client_of(ben)
        api.get(INBOX)

        with self.assertNumQueries(3):
            hidden = api.get(INBOX).json()["results"]

        self.assertEqual([one["title"] for one in hidden], [incident.reference] * 3)

    def test_it_refuses_neither_and_both(self) -> None:
        for body in ({}, {"all": True, "ids": [1]}, {"ids": []}, {"ids": [0]}):
            with self.subTest(body):
                self.assertEqual(client_of(self.ana).post(f"{INBOX}read/", body, format="json").status_code, 400)

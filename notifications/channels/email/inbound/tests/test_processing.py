import datetime as dt
from typing import Any
from unittest import mock

from django.test import TestCase, override_settings
from django.utils import timezone

from core.errors import Busy
from incidents.models import Attachment, EventKind, Incident, Origin
from incidents.tests.factories import make_incident, make_team
from incidents.tests.files import picture
from notifications.channels.email.composing import Sender, compose
from notifications.channels.email.inbound.processing import LEASE, TRIES, process_waiting
from notifications.channels.email.inbound.receiving import receive
from notifications.channels.email.inbound.tests.mails import GENUINE, SERVER, bounce, mail
from notifications.channels.email.tokens import make_token
from notifications.channels.port import Message
from notifications.models import ContactMethod, InboundMail
from notifications.tests.factories import make_method, make_room, now
from notifications.vocabulary import InboundState, MethodState
from tests.reported import reported_failure
from users.models import User
from users.tests.factories import make_reporter, make_responder

ANA = "ana@example.com"


def sent_to(address: str, incident: Incident) -> Any:
    """Our mail about an incident, as this address got it."""
    message = Message(key="delivery-1", kind="page", title="Down", incident=incident.pk, reference=incident.reference)
    return compose(message, address, Sender("incidents@example.org", "in@example.org"), timezone.now())


@override_settings(
    INBOUND_ADDRESS="in@example.org", DEFAULT_FROM_EMAIL="incidents@example.org", INBOUND_AUTHSERV_ID=SERVER
)
class ProcessingTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.ana = make_responder(name="Ana", email=ANA, email_verified_at=timezone.now())
        cls.team = make_team("Database", cls.ana)

    def processed(self, raw: bytes, **values: Any) -> InboundMail:
        """The row of a mail that came in and was processed."""
        receive(raw, now=now(), **values)
        process_waiting(now())
        return InboundMail.objects.latest("pk")

    def assert_held(self, row: InboundMail, words: str) -> None:
        self.assertEqual((row.state, row.incident), (InboundState.HELD, None))
        self.assertIn(words, row.reason)
        self.assertIsNone(row.due_at)


class OpeningTests(ProcessingTestCase):
    def test_it_opens_an_incident_in_the_senders_name(self):
        row = self.processed(mail(subject="Fwd: Störung in Zürich", text="Der Shop ist weg."))

        incident = row.incident
        assert incident is not None
        event = incident.events.first()
        self.assertEqual((row.state, row.user), (InboundState.OPENED, self.ana))
        self.assertEqual((incident.title, incident.description), ("Störung in Zürich", "Der Shop ist weg."))
        self.assertEqual((incident.reporter, incident.origin_system), (self.ana, "email"))
        self.assertEqual((event.origin, event.actor_label), (Origin.EMAIL, "Ana in Email"))

    def test_it_attaches_files_and_names_those_it_cannot(self):
        row = self.processed(mail(files={"error.jpg": picture("JPEG"), "tool.exe": b"MZ\x90\0", "empty.txt": b""}))

        assert row.incident is not None
        self.assertEqual(list(Attachment.objects.values_list("name", flat=True)), ["error.jpg"])
        self.assertIn("Not attached", row.incident.description)
        self.assertIn("tool.exe", row.incident.description)
        self.assertIn("empty.txt", row.incident.description)

    def test_it_titles_a_mail_without_a_subject_by_its_text(self):
        row = self.processed(mail(subject="", text="\nThe shop is gone.\nAll of it."))

        assert row.incident is not None
        self.assertEqual(row.incident.title, "The shop is gone.")

    def test_it_opens_incidents_for_people_who_verified_the_address_elsewhere(self):
        ben = make_reporter(name="Ben", email="ben@work.example")
        make_method(ben, "email", "ben@home.example")

        row = self.processed(mail(sender="ben@home.example", results=GENUINE.replace("example.com", "home.example")))

        self.assertEqual((row.state, row.user), (InboundState.OPENED, ben))

    @reported_failure(24)
    def test_it_holds_what_is_not_genuine_or_not_from_a_person_here(self):
        make_reporter(name="Eve", email="eve@example.com")  # not verified
        make_reporter(name="Old", email="old@example.com", email_verified_at=timezone.now(), is_active=False)
        table = [
            ({"results": ""}, "did not say"),
            ({"results": f"{SERVER}; dmarc=fail header.from=example.com"}, "not genuine"),
            ({"results": GENUINE.replace(SERVER, "evil.example")}, "did not say"),
            ({"sender": "eve@example.com"}, "No active person"),
            ({"sender": "old@example.com"}, "No active person"),
            ({"sender": "stranger@example.com"}, "No active person"),
            ({"sender": "ana@example.com, eve@example.com"}, "exactly one"),
        ]
        for number, (values, words) in enumerate(table):
            with self.subTest(values):
                self.assert_held(self.processed(mail(identity=f"<{number}@x.example>", **values)), words)
        self.assertEqual(Incident.objects.count(), 0)

    def test_it_opens_for_anybody_if_the_operator_says_so_but_in_nobodys_name(self):
        with override_settings(INBOUND_FROM="anybody"):
            row = self.processed(mail(results="", text="It is down."))

        assert row.incident is not None
        self.assertIsNone(row.incident.reporter)
        self.assertIn("From: Ana <ana@example.com> (not verified)", row.incident.description)
        self.assertEqual(row.incident.events.first().actor_label, "Ana <ana@example.com> in Email")

    @reported_failure(24)
    def test_it_opens_nothing_for_automatic_mail_and_our_own(self):
        incident = make_incident(by=self.ana)
        ours = sent_to(ANA, incident).message.as_bytes()
        table = [
            mail(Auto_Submitted="auto-replied"),
            mail(Precedence="bulk", identity="<2@x.example>"),
            mail(List_Id="<x.example>", identity="<3@x.example>"),
            ours,
        ]
        with override_settings(INBOUND_FROM="anybody"):
            states = [self.processed(raw).state for raw in table]
            states.append(self.processed(mail(identity="<4@x.example>"), envelope_sender="").state)

        self.assertEqual(states, [InboundState.IGNORED] * 5)
        self.assertEqual((Incident.objects.count(), incident.events.count()), (1, 1))

    @reported_failure(24)
    def test_it_caps_what_one_sender_opens_in_an_hour(self):
        with override_settings(INBOUND_PER_HOUR=2):
            states = [self.processed(mail(identity=f"<{number}@x.example>")).state for number in range(4)]

        self.assertEqual(states, [InboundState.OPENED] * 2 + [InboundState.HELD] * 2)

    def test_it_opens_once_whatever_comes_twice(self):
        for _ in range(2):
            receive(mail(), now=now())
            process_waiting(now())
        InboundMail.objects.update(due_at=now())  # as if a worker had died before it was told of its commit
        process_waiting(now())

        self.assertEqual(Incident.objects.count(), 1)
        self.assertEqual(InboundMail.objects.filter(due_at__isnull=False).count(), 0)

    def test_it_leaves_a_mail_to_the_worker_that_holds_it(self):
        receive(mail(), now=now())
        LEASE.claim(InboundMail.objects.get(), now())

        self.assertEqual(process_waiting(now()), 0)
        self.assertEqual(process_waiting(now() + dt.timedelta(minutes=6)), 1)

    def test_it_tries_again_when_the_decoders_are_busy(self):
        with mock.patch("notifications.channels.email.inbound.processing.inspect", side_effect=Busy("Try again.")):
            row = self.processed(mail(files={"error.jpg": picture("JPEG")}))
        waits = row.state, row.due_at is not None
        process_waiting(now() + dt.timedelta(minutes=2))

        self.assertEqual(waits, (InboundState.WAITING, True))
        self.assertEqual(InboundMail.objects.get().state, InboundState.OPENED)

    def test_it_keeps_what_cannot_be_processed(self):
        receive(mail(), now=now())
        with (
            mock.patch("notifications.channels.email.inbound.processing.read_mail", side_effect=KeyError("odd")),
            self.assertLogs("notifications", "ERROR"),
        ):
            for hours in range(TRIES):
                process_waiting(now() + dt.timedelta(hours=hours))

        row = InboundMail.objects.get()
        self.assertEqual((row.state, row.due_at), (InboundState.FAILED, None))
        self.assertIn("KeyError", row.reason)


class CommentingTests(ProcessingTestCase):
    def setUp(self) -> None:
        self.incident = make_incident(by=make_reporter(), title="Checkout is down")

    def comments(self) -> list[str]:
        return list(self.incident.events.filter(kind=EventKind.COMMENT).values_list("body", flat=True))

    def test_it_adds_a_reply_without_what_it_quotes(self):
        ours = sent_to(ANA, self.incident).message
        text = (
            "It is the load balancer.\n\nOn Mon, 30 Nov 2026, Incidents <in@example.org> wrote:\n\n> Checkout is down"
        )
        ways = [
            {"to": ours["Reply-To"]},
            {"In_Reply_To": ours["Message-ID"]},
            {"References": f"{ours['References']} {ours['Message-ID']}"},
            {"subject": f"Re: {ours['Subject']}"},
        ]
        for number, way in enumerate(ways):
            with self.subTest(way):
                row = self.processed(mail(identity=f"<{number}@x.example>", text=text, **way))

                self.assertEqual((row.state, row.incident), (InboundState.COMMENTED, self.incident))
                self.assertEqual(self.comments()[-1], "It is the load balancer.")
        self.assertEqual(self.incident.events.last().actor_label, "Ana in Email")

    def test_it_knows_a_sender_by_the_mail_that_is_answered(self):
        ours = sent_to(ANA, self.incident).message

        row = self.processed(mail(to=ours["Reply-To"], results=""))

        self.assertEqual((row.state, row.user), (InboundState.COMMENTED, self.ana))

    def test_it_knows_nobody_by_a_mail_that_went_to_somebody_else(self):
        make_responder(name="Ben", email="ben@example.com", email_verified_at=timezone.now())
        ours = sent_to(ANA, self.incident).message

        row = self.processed(mail(sender="ben@example.com", to=ours["Reply-To"], results=""))

        self.assert_held(row, "did not say")
        self.assertEqual(self.comments(), [])

    def test_it_takes_the_address_of_delivery_too(self):
        token = make_token(key="delivery-1", incident=self.incident.pk, address=ANA)

        row = self.processed(mail(to="undisclosed", results=""), recipient=f"in+{token}@example.org")

        self.assertEqual(row.state, InboundState.COMMENTED)

    def test_it_attaches_files_to_the_incident(self):
        row = self.processed(mail(subject=f"Re: {self.incident.reference}", text="", files={"e.png": picture("PNG")}))

        self.assertEqual(row.state, InboundState.COMMENTED)
        self.assertEqual(Attachment.objects.get().incident, self.incident)
        self.assertEqual(self.comments(), [])

    def test_it_holds_replies_to_what_the_sender_may_not_comment_on(self):
        hidden = make_incident(by=make_reporter(), is_restricted=True)
        Incident.objects.filter(pk=hidden.pk).update(team=make_team("Other"))

        row = self.processed(mail(to=sent_to(ANA, hidden).message["Reply-To"]))

        self.assert_held(row, "does not exist, or you do not have access")
        self.assertEqual(hidden.events.count(), 1)

    def test_it_opens_an_incident_if_the_subject_only_mentions_another(self):
        hidden = make_incident(by=make_reporter(), is_restricted=True)
        Incident.objects.filter(pk=hidden.pk).update(team=make_team("Other"))
        subjects = [f"As in {hidden.reference}: down again", "As in INC-999999"]

        rows = [
            self.processed(mail(identity=f"<{n}@x.example>", subject=subject)) for n, subject in enumerate(subjects)
        ]

        self.assertEqual([row.state for row in rows], [InboundState.OPENED] * 2)
        self.assertEqual(rows[0].incident.title, subjects[0])
        self.assertEqual(hidden.events.count(), 1)

    def test_it_ignores_an_empty_reply(self):
        row = self.processed(mail(subject=f"Re: {self.incident.reference}", text=""))

        self.assertEqual((row.state, row.reason), (InboundState.IGNORED, "The mail is empty."))


class BounceTests(ProcessingTestCase):
    def setUp(self) -> None:
        self.method = make_method(self.ana, "email", ANA)
        self.token = make_token(key="delivery-1", incident=7, address=ANA)

    def state(self) -> str:
        return ContactMethod.objects.get().state

    def test_it_marks_the_address_as_failing_with_the_reason(self):
        row = self.processed(bounce(to=f"in+b-{self.token}@example.org"))

        self.assertEqual((row.state, row.user, self.state()), (InboundState.BOUNCE, self.ana, MethodState.FAILING))
        self.assertIn("User unknown", ContactMethod.objects.get().reason)

    def test_it_marks_rooms_too(self):
        room = make_room("list", "email")
        type(room).objects.filter(pk=room.pk).update(address="list@example.com")
        token = make_token(key="delivery-2", incident=7, address="list@example.com")

        self.processed(bounce(to="in@example.org", returned=f"Message-ID: <{token}@example.org>"))

        room.refresh_from_db()
        self.assertEqual(room.state, MethodState.FAILING)

    def test_it_ignores_delays_and_forged_reports(self):
        forged = make_token(key="delivery-1", incident=7, address="eve@evil.example")
        rows = [
            self.processed(bounce(to=f"in+b-{self.token}@example.org", action="delayed", status="4.4.1")),
            self.processed(bounce(to=f"in+b-{forged}@example.org").replace(b"20261130031200.1", b"2")),
            self.processed(bounce(to="in@example.org").replace(b"20261130031200.1", b"3")),
        ]

        self.assertEqual([row.state for row in rows], [InboundState.IGNORED] * 3)
        self.assertEqual(self.state(), MethodState.OK)
        self.assertEqual(User.objects.count(), 1)

"""What people ask in chats is done once, in their name, by their rights; and they are told."""

import json
from typing import Any
from unittest import mock

from django.test import TestCase, override_settings

from core.db.clock import database_now
from incidents.models import Incident, Status
from incidents.services import resolve
from incidents.tests.factories import kinds_of, make_incident, make_team
from notifications.channels.chat import answering, monitoring
from notifications.channels.chat.asked import Asked
from notifications.channels.chat.asking import store
from notifications.channels.port import Failed
from notifications.channels.slack.payloads import read_command, read_interaction
from notifications.channels.slack.tests.fake import SECRET, TOKEN, FakeSlack, judge_content
from notifications.channels.telegram.tests.fake import TOKEN as BOT_TOKEN
from notifications.channels.telegram.tests.fake import FakeTelegram
from notifications.channels.telegram.updates import read_update
from notifications.models import ChatIntegration, ChatRequest, ContactMethod, LinkCode
from notifications.services.methods import accept_link_code, add_method
from notifications.tests.factories import make_delivery, make_method, seconds
from notifications.vocabulary import Priority, RequestState
from tests.reported import reported_failure
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

ADA, BEN, EVE = "U0ADA00001", "U0BEN00001", "U0EVE00001"
BUTTONS = ("acknowledge", "resolve", "take", "note_text")
DONE = {"acknowledge": Status.ACKNOWLEDGED, "resolve": Status.RESOLVED, "take": Status.ACKNOWLEDGED}


class ChatCase(TestCase):
    def setUp(self) -> None:
        self.slack = FakeSlack()
        self.addCleanup(self.slack.stop)
        self.enterContext(
            override_settings(SLACK_API_URL=self.slack.api_url, SLACK_BOT_TOKEN=TOKEN, SLACK_SIGNING_SECRET=SECRET)
        )
        self.ada, self.admin = make_responder(name="Ada"), make_admin(name="Grace")
        self.team = make_team("Database", self.ada)
        make_method(self.ada, "slack", ADA)
        self.incident = make_incident(by=self.admin, team=self.team)

    def press(self, user: str, action: str, number: int | None = None, text: str = "on it") -> list[Asked]:
        number = self.incident.pk if number is None else number
        if action == "note_text":
            body = self.slack.press(user, "incident.note_text", text, kind="plain_text_input", block=f"note.{number}")
        else:
            body = self.slack.press(user, f"incident.{action}", str(number))
        return read_interaction(body)

    def command(self, user: str, text: str) -> list[Asked]:
        asked = read_command(self.slack.command(user, text))
        return [asked] if asked else []

    def ask(self, asked: list[Asked]) -> str:
        """Do what is asked, and return what was told."""
        before = len(self.slack.replies)
        store("slack", asked)
        self.work()
        return "\n".join(reply["text"] for reply in self.slack.replies[before:])

    def work(self) -> None:
        answering.answer_due()
        answering.tell_due()

    def now_incident(self) -> Incident:
        return Incident.objects.get(pk=self.incident.pk)

    def events(self) -> list[str]:
        return kinds_of(self.incident)


class ButtonTests(ChatCase):
    @reported_failure(20)
    def test_it_does_each_button_of_a_linked_person(self) -> None:
        for action in BUTTONS:
            with self.subTest(action):
                self.incident = make_incident(by=self.admin, team=self.team)

                told = self.ask(self.press(ADA, action))

                incident = self.now_incident()
                self.assertIn(incident.reference, told)
                self.assertEqual(incident.status, DONE.get(action, Status.OPEN))
                self.assertEqual(incident.assignee == self.ada, action == "take")
                event = incident.events.order_by("seq").last()
                assert event is not None
                self.assertEqual((event.actor, event.machine_name, event.origin), (self.ada, "Slack", "chat"))

    @reported_failure(20)
    def test_it_does_nothing_twice(self) -> None:
        for action in BUTTONS:
            with self.subTest(action):
                self.incident = make_incident(by=self.admin, team=self.team)
                asked = self.press(ADA, action)
                self.ask(asked)
                events = self.events()

                told = self.ask(asked)  # delivered again, or replayed

                self.assertEqual((self.events(), told), (events, ""))

    def test_it_says_so_when_a_button_is_pressed_again(self) -> None:
        for action, words in (("acknowledge", "already"), ("resolve", "already"), ("take", "already")):
            with self.subTest(action):
                self.incident = make_incident(by=self.admin, team=self.team)
                self.ask(self.press(ADA, action))
                events = self.events()

                told = self.ask(self.press(ADA, action))

                self.assertIn(words, told)
                self.assertEqual(self.events(), events)

    def test_it_answers_stale_messages_by_what_is_so_now(self) -> None:
        resolve(self.incident, by=self.ada)
        events = self.events()
        for action in ("acknowledge", "resolve", "take"):
            with self.subTest(action):
                self.assertIn("resolved already by Ada", self.ask(self.press(ADA, action)))
        self.assertEqual(self.events(), events)
        self.assertIn("note was added", self.ask(self.press(ADA, "note_text")))

    def test_it_says_that_an_incident_is_gone(self) -> None:
        for number in (999_999_999, 10**17):
            self.assertTrue(self.ask(self.press(ADA, "acknowledge", number)))
        self.assertIn("earlier version", self.ask(self.press(ADA, "explode")))

    @reported_failure(20)
    def test_it_refuses_deactivated_people_with_the_reason(self) -> None:
        User.objects.filter(pk=self.ada.pk).update(is_active=False)
        events = self.events()
        for action in BUTTONS:
            with self.subTest(action):
                self.assertIn("deactivated", self.ask(self.press(ADA, action)))
        self.assertEqual(self.events(), events)
        self.assertFalse(LinkCode.objects.exists())

    @reported_failure(20)
    def test_it_refuses_forbidden_people_with_the_reason(self) -> None:
        other, reporter = make_responder(name="Ben"), make_reporter(name="Eve")
        make_team("Network", other)
        make_method(other, "slack", BEN)
        make_method(reporter, "slack", EVE)
        events = self.events()
        for person in (BEN, EVE):
            for action in BUTTONS:
                with self.subTest(action, person=person):
                    told = self.ask(self.press(person, action))

                    self.assertTrue(told.endswith("."))
                    self.assertNotIn("code", told)
        self.assertEqual((self.events(), self.now_incident().status), (events, Status.OPEN))

    def test_it_tells_nothing_of_restricted_incidents(self) -> None:
        other = make_responder(name="Ben")
        make_method(other, "slack", BEN)
        self.incident = make_incident(by=self.admin, team=self.team, title="Secret leak", is_restricted=True)
        for asked in (self.press(BEN, "acknowledge"), self.command(BEN, f"show INC-{self.incident.pk}")):
            self.assertNotIn("Secret", self.ask(asked))

    def test_it_asks_for_a_note_in_a_field(self) -> None:
        self.ask(self.press(ADA, "note"))

        form = self.slack.replies[-1]
        self.assertEqual(judge_content({"text": form["text"], "blocks": form["blocks"]}), "")
        self.assertEqual((form["response_type"], form["replace_original"]), ("ephemeral", False))
        self.assertEqual(form["blocks"][0]["block_id"], f"note.{self.incident.pk}")

    def test_it_tells_only_the_person(self) -> None:
        self.ask(self.press(ADA, "acknowledge"))

        reply = self.slack.replies[-1]
        self.assertEqual((reply["response_type"], reply["replace_original"]), ("ephemeral", False))


class LinkTests(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        self.ben = make_responder(name="Ben")
        make_team("Database", self.ben)

    @reported_failure(20)
    def test_it_links_and_then_does_what_was_pressed(self) -> None:
        for action in BUTTONS:
            with self.subTest(action):
                ContactMethod.objects.filter(user=self.ben).delete()
                self.incident = make_incident(by=self.admin, team=self.team)
                told = self.ask(self.press(BEN, action))
                code = told.partition("the code ")[2].split()[0]
                self.assertEqual(self.now_incident().status, Status.OPEN)
                accept_link_code(self.ben, code)

                answers = self.later()

                self.assertIn(self.incident.reference, answers)
                self.assertEqual(self.now_incident().status, DONE.get(action, Status.OPEN))
                if action == "note_text":
                    self.assertIn("comment", self.events())

    @reported_failure(20)
    def test_it_links_by_a_code_sent_to_the_app_and_then_does_it(self) -> None:
        self.ask(self.press(BEN, "acknowledge"))
        code = add_method(self.ben, "slack").code

        told = self.ask(self.command(BEN, f"link {code}"))
        self.work()

        self.assertIn("now linked to Ben", told)
        self.assertEqual(self.now_incident().status, Status.ACKNOWLEDGED)
        self.assertEqual(ContactMethod.objects.get(user=self.ben).address, BEN)

    def test_it_refuses_wrong_codes(self) -> None:
        self.assertIn("unknown or has expired", self.ask(self.command(BEN, "link WRONG234")))
        self.assertIn("link CODE", self.ask(self.command(BEN, "link")))
        self.assertFalse(ContactMethod.objects.filter(user=self.ben).exists())

    def test_it_forgets_what_was_pressed_when_nobody_links(self) -> None:
        self.ask(self.press(BEN, "acknowledge"))
        ChatRequest.objects.update(received_at=database_now() - seconds(601), next_at=database_now())

        self.work()

        request = ChatRequest.objects.get()
        self.assertEqual((request.state, request.next_at), (RequestState.EXPIRED, None))
        self.assertEqual((self.now_incident().status, len(self.slack.replies)), (Status.OPEN, 1))

    def later(self) -> str:
        before = len(self.slack.replies)
        ChatRequest.objects.filter(state=RequestState.UNLINKED).update(next_at=database_now())
        self.work()
        return "\n".join(reply["text"] for reply in self.slack.replies[before:])


class CommandTests(ChatCase):
    def test_it_lists_shows_and_acts(self) -> None:
        number = self.incident.pk
        for text, expected in (
            ("mine", "No open incident is assigned to you."),
            (f"take INC-{number}", f"INC-{number} is yours"),
            ("mine", f"INC-{number}: Checkout is down ("),
            (f"show {number}", "Assigned to: Ada. Team: Database."),
            (f"note INC-{number} Fixed &lt;it&gt;".replace("&lt;", "<").replace("&gt;", ">"), "note was added"),
            (f"resolve INC-{number} Restarted", f"You resolved INC-{number}"),
            ("show INC-999999999", "There is no INC-999999999."),
            ("oncall", "There are no schedules."),
            ("oncall nights", "There is no such schedule."),
        ):
            with self.subTest(text):
                self.assertIn(expected, self.ask(self.command(ADA, text)))
        self.assertEqual(self.now_incident().status, Status.RESOLVED)

    def test_it_escapes_what_it_tells(self) -> None:
        self.incident = make_incident(by=self.admin, team=self.team, title="<!channel> & more")

        told = self.ask(self.command(ADA, f"show INC-{self.incident.pk}"))

        self.assertIn("&lt;!channel&gt; &amp; more", told)


class EngineTests(ChatCase):
    def test_it_survives_a_crash_before_the_answer_is_sent(self) -> None:
        store("slack", self.press(ADA, "note_text"))
        answering.answer_due()
        with (
            mock.patch.object(answering, "_note_told", side_effect=KeyboardInterrupt),
            self.assertRaises(KeyboardInterrupt),
        ):
            answering.tell_due()

        ChatRequest.objects.update(next_at=database_now())
        self.work()

        self.assertEqual(self.events().count("comment"), 1)
        self.assertEqual(ChatRequest.objects.get().state, RequestState.DONE)

    def test_it_tells_again_when_slack_is_away_and_stops_in_the_end(self) -> None:
        store("slack", self.press(ADA, "acknowledge"))
        answering.answer_due()
        with mock.patch.object(self.slack, "judge", return_value=(503, {}, b"")):
            for _attempt in range(answering.MOST_ATTEMPTS + 2):
                answering.tell_due()
                ChatRequest.objects.filter(next_at__isnull=False).update(next_at=database_now())

        self.assertEqual(self.now_incident().status, Status.ACKNOWLEDGED)
        self.assertEqual(ChatRequest.objects.get().state, RequestState.DONE)
        self.assertLessEqual(len(self.slack.requests), answering.MOST_ATTEMPTS + 1)

    def test_it_posts_to_slacks_addresses_only(self) -> None:
        (asked,) = self.press(ADA, "acknowledge")
        for url in ("https://evil.example/x", "http://127.0.0.1:1/x", "http://hooks.slack.com/x", ""):
            with self.subTest(url), self.assertRaises(Failed) as caught:
                answering.PLATFORMS["slack"].tell({**asked.reply, "response_url": url}, "x")
            self.assertTrue(caught.exception.is_permanent)

    def test_it_prunes_what_is_old(self) -> None:
        self.ask(self.press(ADA, "acknowledge"))
        ChatRequest.objects.update(received_at=database_now() - answering.KEPT - seconds(1))

        self.assertEqual(answering.prune(database_now()), 1)


class MonitoringTests(ChatCase):
    @reported_failure(20)
    def test_it_doubts_the_buttons_after_ten_pages_without_a_press(self) -> None:
        method, other = make_method(make_responder(), "slack"), make_method(make_responder(), "telegram")
        sent = {"priority": Priority.PAGE, "next_attempt_at": None, "delivered_at": database_now()}
        for _ in range(9):
            make_delivery(method, **sent)
            make_delivery(other, **sent)
        make_delivery(method, **{**sent, "delivered_at": None})
        self.assertNotIn("buttons", monitoring.describe("slack"))

        make_delivery(method, **sent)

        self.assertIn("10 pages or more since then: do the buttons work?", monitoring.describe("slack"))

    @reported_failure(20)
    def test_it_says_when_slack_last_called(self) -> None:
        self.assertEqual(monitoring.describe("slack"), "no button or command received yet")
        self.ask(self.press(ADA, "acknowledge"))
        self.assertEqual(monitoring.describe("slack"), "last interaction 0 min ago")

        now = database_now()
        ChatIntegration.objects.update(
            received_at=now - seconds(7300), refused_at=now, refusal="The signature was wrong."
        )

        self.assertEqual(
            monitoring.describe("slack"), "last interaction 2 h ago; refused 0 min ago: The signature was wrong."
        )
        self.assertEqual(sum(len(family.samples) for family in monitoring.collect()), 2)


class TelegramTests(ChatCase):
    def setUp(self) -> None:
        super().setUp()
        self.telegram = FakeTelegram()
        self.addCleanup(self.telegram.stop)
        self.enterContext(override_settings(TELEGRAM_API_URL=self.telegram.address, TELEGRAM_BOT_TOKEN=BOT_TOKEN))
        make_method(self.ada, "telegram", "111")

    def update(self, **content: Any) -> None:
        asked = read_update(json.loads(json.dumps({"update_id": len(self.telegram.requests) + 1000, **content})))
        assert asked is not None
        store("telegram", [asked])
        self.work()

    def press_telegram(self, person: int, data: str, chat: int = 111) -> None:
        message = {"message_id": 8, "chat": {"id": chat}}
        self.update(callback_query={"id": "77", "from": {"id": person}, "data": data, "message": message})

    def say(self, person: int, text: str, chat: int = 0, **more: Any) -> None:
        self.update(message={"from": {"id": person}, "chat": {"id": chat or person}, "text": text, **more})

    def test_it_does_what_is_pressed(self) -> None:
        self.press_telegram(111, f"acknowledge:{self.incident.pk}")

        self.assertEqual(self.now_incident().status, Status.ACKNOWLEDGED)
        self.assertIn("You acknowledged", self.telegram.callbacks[0]["text"])

    def test_it_takes_a_note_as_a_reply(self) -> None:
        self.press_telegram(111, f"note:{self.incident.pk}")
        form = self.telegram.sent[-1]
        self.assertTrue(form["reply_markup"]["force_reply"])

        self.say(111, "Restarted the queue", reply_to_message={"text": form["text"]})

        self.assertIn("comment", self.events())

    def test_it_links_by_start(self) -> None:
        ben = make_responder(name="Ben")
        make_team("Database", ben)
        self.telegram.chats.add(222)
        self.press_telegram(222, f"acknowledge:{self.incident.pk}")
        self.assertIn("not linked", self.telegram.callbacks[0]["text"])

        self.say(222, f"/start {add_method(ben, 'telegram').code}")
        self.work()

        self.assertEqual(self.now_incident().status, Status.ACKNOWLEDGED)

    def test_it_shows_no_code_and_no_incident_in_a_group(self) -> None:
        self.say(333, f"/ack INC-{self.incident.pk}", chat=-100222)
        self.say(111, f"/show INC-{self.incident.pk}", chat=-100222)

        in_group, in_private = self.telegram.sent
        self.assertEqual(in_group["chat_id"], "-100222")
        self.assertIn("in private", in_group["text"])
        self.assertEqual(in_private["chat_id"], "111")
        self.assertFalse(LinkCode.objects.exists())

    def test_it_says_what_a_groups_id_is(self) -> None:
        self.say(333, "/id", chat=-100222)

        self.assertEqual(self.telegram.sent[0]["chat_id"], "-100222")
        self.assertIn("-100222", self.telegram.sent[0]["text"])

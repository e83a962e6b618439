"""Runs approved and rejected by buttons in chats."""

from typing import Any

from django.core import mail
from django.test import Client, TestCase, override_settings

from core.db.clock import database_now
from incidents.models import Incident, IncidentEvent
from incidents.tests.factories import kinds_of, make_incident, make_team
from notifications.channels.chat import answering
from notifications.channels.port import channel_of
from notifications.channels.slack.tests.fake import SECRET, TOKEN, FakeSlack, judge_content, signed
from notifications.models import ChatRequest, Delivery
from notifications.services.sending import sender_of
from notifications.tests.factories import make_method, make_room, seconds
from notifications.vocabulary import State
from remediation.models import Run
from remediation.services import deciding, telling
from remediation.tests.factories import fake, make_runbook, propose
from remediation.vocabulary import RunState
from users.models import User
from users.tests.factories import make_admin, make_reporter, make_responder

ADA, BOB, EVE, ROOM = "U0ADA00001", "U0BOB00001", "U0EVE00001", "C0INCIDENTS"
FORM = "application/x-www-form-urlencoded"


class ChatRunCase(TestCase):
    def setUp(self) -> None:
        fake.reset()
        self.now = 1000.0
        self.slack = FakeSlack(clock=lambda: self.now)
        self.slack.people = {ADA, BOB, EVE}
        self.addCleanup(self.slack.stop)
        self.enterContext(
            override_settings(SLACK_API_URL=self.slack.api_url, SLACK_BOT_TOKEN=TOKEN, SLACK_SIGNING_SECRET=SECRET)
        )
        self.admin, self.ada, self.bob = (
            make_admin(name="Grace"),
            make_responder(name="Ada"),
            make_responder(name="Bob"),
        )
        self.team = make_team("Web", self.ada, self.bob)
        for person, account in ((self.ada, ADA), (self.bob, BOB)):
            make_method(person, "slack", account)
        User.objects.update(email_verified_at=database_now())
        self.room = make_room(kind="slack", address=ROOM, team=self.team)
        self.incident = make_incident(by=self.admin, team=self.team)
        self.runbook = make_runbook("web-1", by=self.admin, risk="b", name="Restart web")

    def proposed(self, by: User | None = None, incident: Incident | None = None) -> Run:
        return propose(incident or self.incident, self.runbook, by=by or self.ada)

    def send(self) -> None:
        """Send all that is due, or will be in some seconds."""
        for _time in range(4):
            self.now += 2
            due = Delivery.objects.filter(next_attempt_at__isnull=False, state=State.WAITING)
            due.update(next_attempt_at=database_now() - seconds(1))
            for kind in ("slack", "email"):
                channel = channel_of(kind)
                assert channel is not None
                sender_of(channel).run()

    def press(self, account: str, button: dict[str, Any]) -> str:
        """Press a button over the signed webhook; return what that person is told."""
        body = self.slack.press(account, button["action_id"], button["value"])
        headers = {name: value for name, value in signed(body).items() if name != "Content-Type"}
        answer = Client().post("/integrations/slack/interactions", body, content_type=FORM, headers=headers)
        self.assertEqual(answer.status_code, 200, answer.content)
        before = len(self.slack.replies)
        answering.answer_due()
        answering.tell_due()
        [told] = self.slack.replies[before:]
        self.assertEqual(told["response_type"], "ephemeral")
        return str(told["text"])

    def buttons(self, place: str) -> list[dict[str, Any]]:
        """Return the buttons of the newest message at a place, as it reads now."""
        [*_others, (key, message)] = [one for one in self.slack.messages.items() if one[0][0] == place]
        self.assertEqual(judge_content(message), "", key)
        blocks = [block for block in message["blocks"] if block["type"] == "actions"]
        return [element for block in blocks for element in block["elements"]]

    def state(self, run: Run) -> str:
        return Run.objects.values_list("state", flat=True).get(pk=run.pk)


class AskingTests(ChatRunCase):
    def test_it_asks_approvers_and_the_room_but_not_the_proposer(self) -> None:
        run = self.proposed()
        self.send()

        self.assertEqual({post["in"] for post in self.slack.posts}, {f"D{BOB[1:]}", ROOM})
        self.assertEqual({address for one in mail.outbox for address in one.to}, {self.bob.email, self.admin.email})
        self.assertIn(f"/runs/{run.pk}/", mail.outbox[0].body)
        self.assertNotIn("approve_run", mail.outbox[0].body)
        self.assertIn("Ada asks to approve Restart web", self.slack.posts[0]["text"])
        self.assertEqual(
            [(one["action_id"], one["text"]["text"], one["value"]) for one in self.buttons(ROOM)],
            [
                ("incident.approve_run", "Approve", f"{run.pk}:{run.digest[:16]}"),
                ("incident.reject_run", "Reject", f"{run.pk}:{run.digest[:16]}"),
            ],
        )

    def test_it_tells_rooms_nothing_of_restricted_incidents(self) -> None:
        self.proposed(incident=make_incident(by=self.admin, team=self.team, is_restricted=True))
        self.send()

        self.assertEqual([post["in"] for post in self.slack.posts], [f"D{BOB[1:]}"])

    def test_it_hides_in_rooms_what_was_restricted_since(self) -> None:
        run = self.proposed()
        self.send()
        Incident.objects.filter(pk=self.incident.pk).update(is_restricted=True)

        deciding.approve(run, by=self.bob, digest=run.digest)
        self.send()

        [read] = [message["text"] for key, message in self.slack.messages.items() if key[0] == ROOM]
        self.assertIn("Restricted incident", read)
        self.assertNotIn("Restart web", read)
        self.assertEqual(self.buttons(ROOM), [])

    def test_it_asks_no_rooms_that_did_not_choose_it_nor_other_teams(self) -> None:
        self.room.events = ["created"]
        self.room.save(update_fields=["events"])
        make_room("other", kind="slack", address=ROOM, team=make_team("Elsewhere"))
        self.proposed()
        self.send()

        self.assertNotIn(ROOM, {post["in"] for post in self.slack.posts})

    def test_it_rewrites_what_was_not_sent_yet(self) -> None:
        run = self.proposed()
        deciding.abort(run, by=self.ada)
        self.send()

        self.assertTrue(all("is aborted" in post["text"] for post in self.slack.posts))
        self.assertEqual(self.buttons(ROOM), [])


class PressingTests(ChatRunCase):
    def test_it_approves_in_the_name_of_the_linked_account(self) -> None:
        run = self.proposed()
        self.send()

        told = self.press(BOB, self.buttons(ROOM)[0])

        self.assertIn("You approved Restart web", told)
        self.assertEqual(self.state(run), RunState.APPROVED)
        event = IncidentEvent.objects.get(incident=self.incident, kind="run_approved")
        self.assertEqual((event.actor, event.origin, event.data["digest"]), (self.bob, "chat", run.digest))
        self.send()
        for place in (ROOM, f"D{BOB[1:]}"):
            self.assertEqual(self.buttons(place), [])
            [text] = [message["text"] for key, message in self.slack.messages.items() if key[0] == place]
            self.assertIn("Bob approved Restart web", text)
        self.assertIn(
            "Bob approved Restart web", {one.subject for one in mail.outbox if self.ada.email in one.to}.pop()
        )

    def test_it_rejects(self) -> None:
        run = self.proposed()
        self.send()

        self.assertIn("You rejected Restart web", self.press(BOB, self.buttons(ROOM)[1]))

        self.assertEqual(self.state(run), RunState.REJECTED)
        self.send()
        self.assertEqual(self.buttons(ROOM), [])

    def test_it_keeps_the_proposer_from_approving_class_b(self) -> None:
        run = self.proposed()
        self.send()

        self.assertIn("approved by somebody else", self.press(ADA, self.buttons(ROOM)[0]))

        self.assertEqual(self.state(run), RunState.PROPOSED)

    def test_it_refuses_whoever_may_not(self) -> None:
        run = self.proposed()
        self.send()
        button = self.buttons(ROOM)[0]
        other, reporter = make_responder(name="Olga"), make_reporter(name="Rita")
        make_team("Elsewhere", other)
        for person, said in ((other, "incident's team"), (reporter, "does not exist")):
            make_method(person, "slack", EVE)

            self.assertIn(said, self.press(EVE, button))

            person.contact_methods.all().delete()
        self.assertIn("is not linked", self.press(EVE, button))
        self.assertEqual(self.state(run), RunState.PROPOSED)

    def test_it_hides_runs_of_restricted_incidents(self) -> None:
        run = self.proposed(incident=make_incident(by=self.admin, team=self.team, is_restricted=True))
        other = make_responder(name="Olga")
        make_team("Elsewhere", other)
        make_method(other, "slack", EVE)
        button = {"action_id": "incident.approve_run", "value": f"{run.pk}:{run.digest[: telling.SEEN]}"}

        self.assertIn("does not exist", self.press(EVE, button))
        self.assertEqual(self.state(run), RunState.PROPOSED)

    def test_it_is_bound_to_what_was_shown(self) -> None:
        run = self.proposed()
        for seen in (":0000000000000000", f":{run.digest[:8]}", ""):
            with self.subTest(seen):
                button = {"action_id": "incident.approve_run", "value": f"{run.pk}{seen}"}

                self.assertIn("not what you saw", self.press(BOB, button))
        self.assertEqual(self.state(run), RunState.PROPOSED)

    def test_it_says_what_was_decided_before_and_changes_nothing(self) -> None:
        run = self.proposed()
        self.send()
        approve, reject = self.buttons(ROOM)
        self.press(BOB, reject)

        self.assertIn("Rejected", self.press(BOB, approve))

        self.assertEqual(self.state(run), RunState.REJECTED)
        self.assertEqual(kinds_of(self.incident).count("run_approved"), 0)
        self.assertEqual(ChatRequest.objects.count(), 2)

    def test_it_says_why_guards_forbid_it(self) -> None:
        run = self.proposed()
        self.runbook.is_enabled = False
        self.runbook.save(update_fields=["is_enabled"])
        button = {"action_id": "incident.approve_run", "value": f"{run.pk}:{run.digest[: telling.SEEN]}"}

        self.assertIn("disabled", self.press(BOB, button))
        self.assertEqual(self.state(run), RunState.PROPOSED)

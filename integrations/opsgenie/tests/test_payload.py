"""The actions on an alert that is there, and what Opsgenie refuses."""

from django.test import SimpleTestCase

from alerts.updates import Action
from intake.requests import IntakeError, IntakeRequest
from integrations.opsgenie import payload as opsgenie


class OpsgenieTests(SimpleTestCase):
    def test_it_refuses_an_alert_without_a_message(self):
        with self.assertRaises(IntakeError) as caught:
            opsgenie.parse(IntakeRequest("POST", "/v2/alerts", {}, b'{"alias": "a", "message": " "}'))

        self.assertEqual(caught.exception.status, 422)

    def test_it_takes_a_message_that_is_too_long_for_opsgenie(self):
        updates = opsgenie.parse(IntakeRequest("POST", "/v2/alerts", {}, b'{"message": "' + b"x" * 131 + b'"}'))

        self.assertEqual(len(updates[0].title), 131)

    def test_it_knows_the_priorities(self):
        found = [opsgenie.update_of({"message": "m", "priority": f"P{number}"}).severity for number in range(1, 6)]

        self.assertEqual(found, ["critical", "high", "medium", "low", "low"])

    def test_it_acts_on_the_alert_of_an_alias(self):
        body = {"user": "ann", "source": "script", "note": "done"}
        for act, action in (
            (opsgenie.closed, Action.RESOLVE),
            (opsgenie.acknowledged, Action.ACKNOWLEDGE),
            (opsgenie.noted, Action.NOTE),
        ):
            with self.subTest(action=action):
                update = act("db-3/disk", body)

                self.assertEqual((update.action, update.fingerprint), (action, "db-3/disk"))
                self.assertEqual((update.note, update.user), ("done", "ann"))

    def test_it_closes_without_a_body_and_notes_nothing_without_a_note(self):
        closed = opsgenie.closed("a", None)

        self.assertEqual(closed.note, "")
        with self.assertRaises(IntakeError):
            opsgenie.noted("a", {})

    def test_it_makes_an_alias_where_there_is_none(self):
        body, made = opsgenie.with_alias({"message": "m"})
        kept = opsgenie.with_alias({"message": "m", "alias": "a/b"})[1]

        self.assertEqual(body["alias"], made)
        self.assertEqual(len(made), 36)
        self.assertEqual(kept, "a/b")

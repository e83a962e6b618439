"""The layout of Slack's messages, judged by slack_sdk's models and Slack's limits."""

from django.test import SimpleTestCase

from notifications.channels.chat.tests.messages import BUTTONS, EXTREMES, page
from notifications.channels.port import Button
from notifications.channels.slack.blocks import layout, note_form
from notifications.channels.slack.tests.fake import judge_content


def actions(message: object) -> list[str]:
    _text, blocks = layout(message)  # type: ignore[arg-type]
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]


class BlocksTests(SimpleTestCase):
    def test_it_lays_out_what_slack_takes(self) -> None:
        for message in EXTREMES:
            with self.subTest(message.title[:20]):
                text, blocks = layout(message)

                self.assertEqual(judge_content({"text": text, "blocks": blocks}), "")
                self.assertLessEqual(len(text), 4000)

    def test_its_judge_refuses_what_slack_refuses(self) -> None:
        plain = {"type": "plain_text", "text": "x"}
        button = {"type": "button", "action_id": "a", "text": plain}
        for blocks in (
            [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}],
            [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
            [{"type": "actions", "elements": [button | {"action_id": "a" * 256}]}],
            [{"type": "actions", "elements": [button, button]}],
            [{"type": "actions", "elements": []}],
            [{"type": "actions", "elements": [button | {"value": "x" * 2001}]}],
            [{"type": "actions", "elements": [button | {"text": plain | {"text": "x" * 76}}]}],
            [{"type": "divider"}] * 51,
            [{"type": "divider", "block_id": "same"}] * 2,
            [{"type": "section", "text": plain, "unheard": 1}],
            [{"type": "unheard"}],
        ):
            with self.subTest(str(blocks)[:60]):
                self.assertEqual(judge_content({"text": "x", "blocks": blocks}), "invalid_blocks")

    def test_it_names_severity_by_shape_and_word(self) -> None:
        _text, blocks = layout(page())

        self.assertEqual(blocks[0]["text"]["text"], "INC-1042: Checkout refuses cards")
        self.assertEqual(blocks[1]["text"]["text"], "*⬢ Critical · Open*")
        self.assertEqual(blocks[2]["text"]["text"], "p95 &lt; 2 s &amp; rising")

    def test_it_offers_four_buttons_that_carry_the_number_only(self) -> None:
        _text, blocks = layout(page())
        buttons = next(block for block in blocks if block["type"] == "actions")["elements"]

        self.assertEqual([one["text"]["text"] for one in buttons], [button.label for button in BUTTONS])
        self.assertEqual({one["value"] for one in buttons}, {"1042"})

    def test_it_offers_buttons_only_where_they_do_something(self) -> None:
        self.assertEqual(actions(page(status="resolved")), ["incident.note"])
        self.assertNotIn("incident.acknowledge", actions(page(status="in_progress")))
        self.assertEqual(actions(page(count=20)), ["link"])
        self.assertEqual(actions(page(count=20, answer_url="")), [])
        self.assertEqual(actions(page(incident=None)), [])
        self.assertEqual(layout(page(), with_buttons=False)[1][-1]["type"], "context")

    def test_it_offers_buttons_of_notices_that_carry_their_own_value(self) -> None:
        choices = (Button("approve_run", "Approve", "7:0123456789abcdef"), Button("resolve", "Resolve"))
        _text, blocks = layout(page(kind="notice", buttons=choices))

        [actions] = [block["elements"] for block in blocks if block["type"] == "actions"]
        self.assertEqual(
            [(one["action_id"], one["value"]) for one in actions], [("incident.approve_run", "7:0123456789abcdef")]
        )

    def test_it_mentions_nobody(self) -> None:
        text, blocks = layout(page(title="<!channel>", body="<@U0ADA00001> <http://x|y>"))

        self.assertIn("&lt;!channel&gt;", text)
        self.assertEqual(blocks[2]["text"]["text"], "&lt;@U0ADA00001&gt; &lt;http://x|y&gt;")

    def test_it_asks_for_a_note_in_a_field(self) -> None:
        self.assertEqual(judge_content({"text": "x", "blocks": note_form(1042, "INC-1042")}), "")

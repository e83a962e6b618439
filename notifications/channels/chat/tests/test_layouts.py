"""Every layout takes any text: what people and machines report is not ours to choose."""

import json

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.channels.apprise import layout as apprise
from notifications.channels.chat.tests.messages import BUTTONS
from notifications.channels.port import Message
from notifications.channels.slack import blocks as slack
from notifications.channels.slack.tests.fake import judge_content
from notifications.channels.teams import card as teams
from notifications.channels.teams.tests.fake import judge_card
from notifications.channels.telegram import layout as telegram
from notifications.channels.telegram.tests.fake import judge_text

URL = st.sampled_from(["", "https://incidents.example.org/a?b=1&c=<>|\"'"])
TEXT = st.one_of(st.text(max_size=40), st.text(max_size=5).map(lambda text: text * 2000))
MESSAGES = st.builds(
    Message,
    key=st.just("k"),
    kind=st.sampled_from(["page", "update", "test"]),
    title=TEXT,
    body=TEXT,
    lines=st.lists(TEXT, max_size=30).map(tuple),
    incident=st.sampled_from([None, 1, 10**17]),
    reference=st.sampled_from(["", "INC-1"]),
    severity=st.sampled_from(["", "critical", "high", "medium", "low", "odd"]),
    status=st.sampled_from(["", "open", "acknowledged", "on_hold", "resolved", "closed"]),
    url=URL,
    answer_url=URL,
    buttons=st.sampled_from([(), BUTTONS]),
    count=st.sampled_from([1, 20]),
    edits=st.sampled_from(["", "C0INCIDENTS:1.1"]),
)


class LayoutTests(SimpleTestCase):
    @settings(max_examples=60, deadline=None)
    @given(MESSAGES)
    def test_it_lays_out_any_text(self, message: Message) -> None:
        text, blocks = slack.layout(message)
        body = teams.layout(message)
        _title, plain = apprise.layout(message, 2000)

        self.assertEqual(judge_content({"text": text, "blocks": blocks}), "")
        self.assertEqual(judge_text(telegram.layout(message)), "")
        self.assertEqual(judge_card(json.loads(body)), "")
        self.assertLessEqual(len(body), teams.MAX_BYTES)
        self.assertLessEqual(len(plain.encode()), 2000)

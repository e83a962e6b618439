"""The layout of Teams' cards."""

import json

from django.test import SimpleTestCase

from notifications.channels.chat.tests.messages import EXTREMES, page
from notifications.channels.teams.card import MAX_BYTES, escape, layout
from notifications.channels.teams.tests.fake import MOST, OVERHEAD, judge_card
from tests.reported import reported_failure


class CardTests(SimpleTestCase):
    def test_it_lays_out_what_teams_takes(self) -> None:
        for message in EXTREMES:
            with self.subTest(message.title[:20]):
                self.assertEqual(judge_card(json.loads(layout(message))), "")

    @reported_failure(21)
    def test_it_cuts_the_text_and_keeps_the_links(self) -> None:
        self.assertLess(MAX_BYTES + OVERHEAD, MOST)
        for message in EXTREMES:
            content = layout(message)

            self.assertLessEqual(len(content), MAX_BYTES)
            urls = [action["url"] for action in json.loads(content)["attachments"][0]["content"]["actions"]]
            self.assertEqual(urls, [url for url in (message.answer_url, message.url) if url])

    def test_it_shows_text_as_it_is(self) -> None:
        self.assertEqual(escape("**a** [b](c) _d_"), r"\*\*a\*\* \[b\]\(c\) \_d\_")

    def test_it_names_severity_by_shape_and_word(self) -> None:
        body = json.loads(layout(page()))["attachments"][0]["content"]["body"]

        self.assertEqual(body[1]["text"], "⬢ Critical · Open")

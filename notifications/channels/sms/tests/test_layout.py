from dataclasses import replace

from django.test import SimpleTestCase

from notifications.channels.phone.segments import segments
from notifications.channels.port import Message
from notifications.channels.sms.layout import MOST_SEGMENTS, lay_out
from tests.reported import reported_failure

PAGE = Message(
    key="k",
    kind="page",
    title="Disk full on db-3",
    reference="INC-1042",
    severity="critical",
    url="https://incidents.example.org/incidents/INC-1042/",
    answer_url="https://incidents.example.org/a/secret/",
    reply_code="4271",
)


class LayoutTests(SimpleTestCase):
    def test_it_says_what_happened_and_how_to_answer(self):
        self.assertEqual(
            lay_out(PAGE), "[critical] INC-1042 Disk full on db-3. Reply 4271 A to acknowledge, 4271 R to resolve"
        )

    @reported_failure(22)
    def test_it_holds_no_address_unless_the_operator_wants_it(self):
        page = replace(PAGE, title="See https://grafana.example.org/d/1?x=2 now")

        text = lay_out(page)

        self.assertNotIn("://", text)
        self.assertIn("See grafana.example.org now", text)
        self.assertTrue(lay_out(page, with_urls=True).endswith(PAGE.answer_url))

    def test_it_cuts_the_title_and_never_the_code(self):
        for title in ("long " * 500, "ж" * 2000, "x" * 3000):
            with self.subTest(title[:1]):
                text = lay_out(replace(PAGE, title=title))
                self.assertLessEqual(segments(text), MOST_SEGMENTS)
                self.assertTrue(text.startswith("[critical] INC-1042 "))
                self.assertTrue(text.endswith("Reply 4271 A to acknowledge, 4271 R to resolve"))

    def test_it_marks_a_page_that_may_be_a_repeat(self):
        self.assertIn("(sent again)", lay_out(replace(PAGE, attempt=2)))

    def test_it_speaks_the_readers_language(self):
        self.assertIn("Antwort 4271 A", lay_out(replace(PAGE, language="de-AT")))
        self.assertIn("Reply 4271 A", lay_out(replace(PAGE, language="tlh")))

    def test_it_says_nothing_twice(self):
        page = replace(PAGE, title="INC-1042 Critical: Disk full on db-3")
        several = replace(PAGE, title="20 incidents need you: 2 critical", count=20)

        self.assertTrue(lay_out(page).startswith("INC-1042 Critical: Disk full on db-3. Reply"))
        self.assertTrue(lay_out(several).startswith("20 incidents need you: 2 critical. Reply"))

    def test_it_sends_codes_as_they_are(self):
        code = Message(key="k", kind="code", title="123456 is your code", reply_code="123456")

        self.assertEqual(lay_out(code), "123456 is your code")

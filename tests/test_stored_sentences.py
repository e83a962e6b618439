from unittest import mock

from django.test import SimpleTestCase
from django.utils.translation import override

from core.text import sentences
from core.text.sentences import Sentence, shown
from paging.planning import NOBODY
from paging.services.facts import MEMBER, ON_CALL
from paging.services.performing import EXHAUSTED, PAUSED, SKIPPED
from paging.services.performing import NOBODY as UNANSWERED
from paging.services.writing import PAGED

GERMAN = {
    "Member of %(team)s": "Mitglied von %(team)s",
    "On call in %(list_of)s": "Bereitschaft in %(list_of)s",
    "layer %(layer)s": "Ebene %(layer)s",
    "until %(day)s": "bis %(day)s",
    "Paged %(people)s.": "Alarmiert: %(people)s.",
    "Paging is paused: %(why)s.": "Pause: %(why)s.",
    "Step %(number)s was skipped: %(why)s.": "Schritt %(number)s übersprungen: %(why)s.",
    "nobody to page in %(targets)s": "niemand in %(targets)s",
    "nobody has answered": "niemand hat geantwortet",
    "The policy %(policy)s has ended: %(why)s; open for %(age)s.": "%(policy)s zu Ende: %(why)s; offen %(age)s.",
}


class SentenceTests(SimpleTestCase):
    def setUp(self):
        self.enterContext(override("de"))
        # whatever the catalogue says today
        say = mock.patch("core.text.sentences.translation.gettext", lambda text: GERMAN.get(text, text))
        self.enterContext(say)

    def test_it_is_stored_in_english_whoever_writes(self):
        self.assertEqual(MEMBER.say(team="Web"), "Member of Web")

    def test_it_is_shown_in_the_readers_language(self):
        for stored, read in (
            (MEMBER.say(team="Web & Co"), "Mitglied von Web & Co"),
            (ON_CALL.say(list_of="P, layer Days, until Mon 09:00"), "Bereitschaft in P, Ebene Days, bis Mo 09:00"),
            (SKIPPED.say(number=2, why=NOBODY.say(targets="Web")), "Schritt 2 übersprungen: niemand in Web."),
            (PAGED.say(people="Ana (member of Web), Ben (x)"), "Alarmiert: Ana (Mitglied von Web), Ben (x)."),
            (
                EXHAUSTED.say(policy="Days", why=UNANSWERED.say(), age="3 h 12 min"),
                "Days zu Ende: niemand hat geantwortet; offen 3 h 12 min.",
            ),
            (f"{MEMBER.say(team='A')}; {MEMBER.say(team='B')}", "Mitglied von A; Mitglied von B"),
            (f"{MEMBER.say(team='A')}\n{PAUSED.say(why='x')}", "Mitglied von A\nPause: x."),
        ):
            with self.subTest(stored):
                self.assertEqual(shown(stored), read)

    def test_it_leaves_alone_what_people_wrote(self):
        for text in ("", "Disk full on db-3", "until further notice", "We paged Ana."):
            with self.subTest(text):
                self.assertEqual(shown(text), text)

    def test_it_takes_the_sentence_that_says_most(self):
        short, long = Sentence("Zap %(a)s."), Sentence("Zap %(a)s, then %(b)s.")
        self.addCleanup(forget, short, long)
        GERMAN.update({short.text: "kurz", long.text: "lang"})

        self.assertEqual(shown(long.say(a="x", b="y")), "lang")

    def test_it_shows_english_as_it_is(self):
        with override("en"):
            self.assertEqual(shown("Member of Web"), "Member of Web")


def forget(*some):
    for one in some:
        sentences._known.remove(one)
    sentences._read.cache_clear()

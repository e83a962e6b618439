from django.core.exceptions import ValidationError
from django.test import SimpleTestCase

from core.text.names import normal, one_line, refuse_bad_name, refuse_bad_person_name, tidied

GOOD = (
    *("Ada", "Iván", "Nguyễn Văn A", "O’Brien-Smith", "J. R. R. Tolkien", "J.R.R.Tolkien", "Martin Luther King Jr."),
    *(
        "Smith, Ph.D.",
        "N.N.",
        "Dr. Müller",
        "Dr.Müller",
        "X",
        "山田 太郎",
        "葛\U000e0100城",
        "김철수",
        "เสรี มานะ",
        "ดร.สมชาย",
    ),
    *("محمد رضا", "می‌خواهم", "د.أحمد", "שרה כהן", "श्रीमान्", "क्‍ष", "डॉ.शर्मा", "ශ්‍රී ලංකා", "র‍্যাব", "ᠮᠣᠩᠭᠣᠯ"),
    *("👩‍💻 Ops", "👨‍👩‍👧", "❤️ Team", "1️⃣ First", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"),
)
BAD = {
    "single line": ("a\nb", "a\r\nb", "a\u2028b", "a\x85b", "colleague,\n\nyour mailbox is full"),
    "control characters": (
        *("Iv\bn", "a\x7fb", "a\tb", "\u202etxt", "a\u2066b", "\u200b", "\u200d\u200d", "\u3164", "A\u00adB", "\u2800"),
        *("Iv\u200dan", "\u200cfoo", "می\u200c", "a\ufe0fb", "a\U000e0061", "a\u034fb", "a\u200f"),
    ),
    "contain a link": (
        *(
            "see https://evil.example/x",
            "hxxp://x",
            "ｈｔｔｐｓ：／／evil",
            "www.evil",
            "mailto:x",
            "javascript:alert(1)",
        ),
        *("me@evil.example", "a＠evil．example", "call tel:+41"),
    ),
}
HOSTS = ("evil.example", "Go to evil.example/login", "x.com", "T.Co/abc", "1.2.3.4", "bücher.example", "evil。com")


class NameTests(SimpleTestCase):
    def test_it_takes_names_of_all_scripts(self) -> None:
        for name in GOOD:
            with self.subTest(name):
                refuse_bad_person_name(name)

    def test_it_refuses_what_is_not_shown_as_it_is_or_leads_elsewhere(self) -> None:
        for sentence, names in BAD.items():
            for name in names:
                with self.subTest(ascii(name)), self.assertRaisesMessage(ValidationError, sentence):
                    refuse_bad_name(name)

    def test_it_refuses_hosts_in_names_of_people_alone(self) -> None:
        for name in HOSTS:
            with self.subTest(name):
                refuse_bad_name(name)
                with self.assertRaisesMessage(ValidationError, "contain a web address"):
                    refuse_bad_person_name(name)

    def test_it_looks_no_further_at_what_no_field_holds(self) -> None:
        """Some of the patterns take the square of a name's length."""
        for name in ("A." * 2_500, "1" * 5_000, "a@" + "a." * 2_500):
            with self.subTest(name[:10]), self.assertRaisesMessage(ValidationError, "at most 1,000 characters"):
                refuse_bad_person_name(name)

    def test_it_keeps_one_form(self) -> None:
        self.assertEqual(normal(" Iva\u0301n "), "Iván")

    def test_it_tidies_names_from_elsewhere(self) -> None:
        self.assertEqual(tidied("Iv\bn\r\n Doe\u202e"), "Ivn Doe")
        self.assertEqual([tidied(name) for name in GOOD], [normal(name) for name in GOOD])

    def test_it_puts_titles_on_one_line(self) -> None:
        self.assertEqual(one_line(" a\r\n\tb\bc\u2028d  e "), "a b c d  e")

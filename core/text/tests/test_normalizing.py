"""Unicode's normal forms, piece by piece."""

import unicodedata
from typing import get_args
from unittest import mock

from django.test import SimpleTestCase

from core.text import normalizing
from core.text.normalizing import Form, normalized

SCRIPTS = (
    "Zürich, Łódź und Ấn Độ: cần thiết, ﬁne ½ ",
    "한국어문장입니다각갂값",
    "ｶﾞｷﾞｸﾞﾊﾟﾋﾟﾌﾟがぎぐばびぶ",
    "ภาษาไทยที่ไม่มีช่องว่างกำลังน้ำ",
    "हिन्दीमेंलिखाहुआवाक्यक़ख़ग़ड़ढ़ কোৌ ொோௌ",
    "ﷺﷺالعَرَبِيَّةُ שָׁלוֹם ",
    "😀👨‍👩‍👧‍👦🇨🇭①②㌔㍿각ﾡￂￇ",
)


class NormalizedTests(SimpleTestCase):
    def test_it_is_what_unicode_says_wherever_a_piece_ends(self) -> None:
        for script in SCRIPTS:
            for form in get_args(Form):
                for written in ("NFC", "NFD"):
                    for start in range(7):
                        text = unicodedata.normalize(written, "x" * start + script * 60)  # type: ignore[arg-type]  # one of Form
                        self.assertEqual(normalized(form, text), unicodedata.normalize(form, text), (form, script))

    def test_it_puts_no_more_in_order_at_a_time_than_a_piece_or_two(self) -> None:
        """The whole would take hours."""
        hostile = "a" + "\u0300\u0327" * 500_000
        with mock.patch.object(normalizing.unicodedata, "normalize", wraps=unicodedata.normalize) as asked:
            normalized("NFC", hostile)

        self.assertLessEqual(max(len(call.args[1]) for call in asked.call_args_list), 2 * normalizing.PIECE)

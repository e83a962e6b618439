from django.test import SimpleTestCase
from hypothesis import given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from notifications.channels.phone.segments import fit, plain, segments

TEXTS = st.text(st.sampled_from("ab {€é\n") | st.characters(blacklist_categories=["Cs"]), max_size=600)


class SegmentTests(SimpleTestCase):
    def test_it_counts_segments_of_both_alphabets(self):
        for text, count in {
            "": 1,
            "a" * 160: 1,
            "a" * 161: 2,
            "a" * 306: 2,
            "a" * 307: 3,
            "€" * 80: 1,
            "€" * 81: 2,
            "ж" * 70: 1,
            "ж" * 71: 2,
            "ж" * 134: 2,
            "ж" * 135: 3,
            "😀" * 35: 1,
            "😀" * 36: 2,
            "a" * 70 + "ж": 2,
        }.items():
            with self.subTest(text[:3], length=len(text)):
                self.assertEqual(segments(text), count)

    def test_it_writes_typographic_signs_plainly(self):
        self.assertEqual(plain("“db-3” – down… → disk\u00a0full"), '"db-3" - down... -> disk full')

    def test_it_cuts_at_a_word(self):
        cut = fit("disk full on " * 20, " Reply 4271 A", 1)

        self.assertTrue(cut.endswith(("disk...", "full...", "on...")), cut)
        self.assertEqual(segments(cut + " Reply 4271 A"), 1)

    def test_it_cuts_inside_a_long_word(self):
        self.assertEqual(fit("x" * 300, "", 1), "x" * 157 + "...")

    @bounds(max_examples=200, deadline=None)
    @given(TEXTS, st.text("ab 1€", max_size=100), st.integers(1, 4))
    def test_it_never_takes_more_than_it_may(self, text, fixed, most):
        cut = fit(text, fixed, most)

        self.assertLessEqual(segments(cut + fixed), most)
        self.assertTrue(cut == text or cut == "" or cut.endswith("..."))

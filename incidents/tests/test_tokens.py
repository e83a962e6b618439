from django.test import SimpleTestCase

from incidents.search import tokens


def query_words(text: str) -> list[str]:
    return [word for word, _is_prefix in tokens.query_terms(text)]


class WordTests(SimpleTestCase):
    def test_it_folds_words(self) -> None:
        cases = {
            "Zürich ZURICH zu\u0308rich": ["zurich"] * 3,
            "Straße STRASSE": ["strasse"] * 2,
            "İstanbul": ["istanbul"],
            "Ёлка": ["елка"],
            "ﬁle ① Ａｂｃ": ["file", "1", "abc"],
            "db-disk_7 it's": ["db", "disk", "7", "it", "s"],
            "web01.example.com:8080": ["web01", "example", "com", "8080"],
            "": [],
            '+-* " ( ) ~ < > @ _ __ 🔥': [],
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(list(tokens.split_words(text)), expected)

    def test_it_cuts_long_words(self) -> None:
        self.assertEqual(list(tokens.split_words("x" * 1000)), ["x" * tokens.MAX_WORD])

    def test_it_pairs_characters_that_are_written_without_spaces(self) -> None:
        self.assertEqual(list(tokens.split_words("満杯です")), ["満", "杯", "で", "す", "満杯", "杯で", "です"])
        self.assertEqual(list(tokens.split_words("DBが満杯")), ["db", "が", "満", "杯", "が満", "満杯"])
        self.assertEqual(list(tokens.split_words("한국")), ["한", "국", "한국"])

    def test_it_spells_out_letters_that_the_engines_do_not_know(self) -> None:
        """FTS5 would take New Tai Lue for two words (and refuse the phrase), InnoDB whatever is beyond U+FFFF."""
        self.assertEqual(list(tokens.split_words("ab\u19b0cd")), ["abu19b0_cd"])
        self.assertEqual(list(tokens.split_words("\U00020000")), ["u20000_"])
        self.assertEqual(list(tokens.split_words("\U0001e922")), ["u1e922_"])
        self.assertTrue(all(len(word) <= tokens.MAX_WORD for word in tokens.split_words("\U0001e922" * 60)))


class DocumentTests(SimpleTestCase):
    def test_it_marks_what_is_public_and_what_is_internal(self) -> None:
        document = tokens.build_document("Disk full, disk!", "root password")

        self.assertEqual(document.split(), ["p_disk", "p_full", "i_root", "i_password"])

    def test_it_lets_nobody_write_a_mark(self) -> None:
        self.assertEqual(tokens.build_document("i_secret").split(), ["p_i", "p_secret"])
        self.assertEqual(query_words("i_secret"), ["i", "secret"])


class QueryTests(SimpleTestCase):
    def test_it_asks_for_each_word_once(self) -> None:
        self.assertEqual(query_words("Disk disk DISK full"), ["disk", "full"])

    def test_it_asks_for_pairs_only_where_there_are_any(self) -> None:
        """Single characters would use up the twelve words of a long query, and say less than the pairs do."""
        self.assertEqual(query_words("満杯です"), ["満杯", "杯で", "です"])
        self.assertEqual(query_words("満"), ["満"])

    def test_it_asks_for_beginnings_of_words_that_tell_something(self) -> None:
        terms = dict(tokens.query_terms("cert ce 1042 web01 満杯です ชำระ हिन्दी"))

        opened = [word for word, is_beginning in terms.items() if is_beginning]
        self.assertEqual(opened[:2], ["cert", "web01"])
        self.assertEqual(len(opened), 3)

    def test_it_leaves_out_what_people_leave_out(self) -> None:
        for written, typed in (
            ("הַשֶּׁרֶת", "השרת"),
            ("تَعَطَّلَ", "تعطل"),
            ("ısı", "ISI"),
            ("Łódź", "lodz"),
            ("Donau\u00addampf", "donaudampf"),
        ):
            with self.subTest(written):
                self.assertEqual(query_words(written), query_words(typed))

    def test_it_asks_for_twelve_words_at_most(self) -> None:
        text = " ".join(f"word{number}" for number in range(40))

        self.assertEqual(len(query_words(text)), 12)

    def test_it_asks_for_nothing_where_there_is_no_word(self) -> None:
        for text in ("", "   ", "+-*", '"', "🔥🔥", "_"):
            with self.subTest(text):
                self.assertEqual(query_words(text), [])

    def test_it_finds_its_words_in_the_document_of_the_same_text(self) -> None:
        for text in ("Zürich db 満杯です", "x" * 300, "ab\u19b0cd \U0001e922\U0001e923", "हिन्दी ภาษาไทย العربية"):
            with self.subTest(text):
                document = tokens.build_document(text).split()

                self.assertTrue({f"p_{word}" for word in query_words(text)} <= set(document))

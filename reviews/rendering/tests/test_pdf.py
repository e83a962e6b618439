import hashlib
import io

from django.test import SimpleTestCase
from pypdf import PdfReader

from reviews.rendering import to_pdf
from reviews.rendering.document import Cell, Entry, Numbered, Part, Prose, Table
from reviews.rendering.pdf import FONTS, MOST_CHARACTERS, REPLACEMENT, writable
from reviews.rendering.tests.test_markdown import document


def read(*parts: Part, **fields: str) -> tuple[PdfReader, str]:
    """The PDF of a document, and its text in one line."""
    reader = PdfReader(io.BytesIO(to_pdf(document(*parts, **fields))))
    return reader, " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def fonts_of(reader: PdfReader) -> set[str]:
    found = {font for page in reader.pages for font in page["/Resources"]["/Font"].values()}
    return {str(font.get_object()["/BaseFont"]).split("+")[-1] for font in found}


class PdfTests(SimpleTestCase):
    def test_it_says_what_the_document_says(self) -> None:
        _reader, text = read(
            Prose("It **broke** <script>\n\n- a\n- b"),
            Entry("10:00 UTC", "It began."),
            Numbered(("One", "Two")),
            Table(("Item", "Owner"), ((Cell("Watch it", "https://t.example/1"), Cell("Ada")),), (1, 1)),
        )

        for said in ("INC-1 Shop down", "It broke <script>", "• a", "10:00 UTC It began.", "2. Two", "Watch it Ada"):
            with self.subTest(said):
                self.assertIn(said, text)
        self.assertIn("1 / 1", text)

    def test_it_has_title_language_outline_and_links(self) -> None:
        reader, _text = read(Table(("Item",), ((Cell("It", "https://t.example/1"),),), (1,)), title="Größe “x”")

        outline = reader.outline
        links = {one.get_object()["/A"]["/URI"] for page in reader.pages for one in page["/Annots"]}
        self.assertEqual(reader.metadata.title, "Größe “x”")
        self.assertEqual(reader.trailer["/Root"]["/Lang"], "en")
        self.assertEqual((outline[0].title, outline[1][0].title), ("Größe “x”", "What happened"))
        self.assertEqual(links, {"https://a.example/incidents/INC-1/", "https://t.example/1"})

    def test_it_embeds_its_fonts_and_the_large_one_only_where_needed(self) -> None:
        plain, _text = read(Prose("Größe, Ж, λ and “quotes”"))
        japanese, text = read(Prose("東京で障害が発生しました。"), title="障害")

        self.assertEqual(fonts_of(plain), {"DejaVuSansBook", "DejaVuSansBold"})
        self.assertIn("東京で障害が発生しました。", text)
        self.assertEqual(len(fonts_of(japanese)), 3)

    def test_it_shows_that_it_cannot_write_something(self) -> None:
        _reader, text = read(Prose("a 🚀 b \x07 c 한 d"))

        self.assertIn(f"a {REPLACEMENT} b {REPLACEMENT} c {REPLACEMENT} d", text)
        self.assertEqual(writable("a\u200bb\r\nc\td"), "ab\nc    d")

    def test_it_breaks_tables_and_words_that_are_longer_than_a_page(self) -> None:
        rows = tuple((Cell(f"Item {number} {'x' * 120}"), Cell("Ada " * 30)) for number in range(200))

        reader, text = read(Prose("y" * 5000), Table(("Item", "Owner"), rows, (3, 1)))

        self.assertGreater(len(reader.pages), 5)
        self.assertEqual(text.count("Item Owner"), len(reader.pages) - 1)
        self.assertIn("Item 199", text)

    def test_it_ends_where_it_would_be_too_long(self) -> None:
        parts = [Entry(f"Moment {number}", "word " * 700) for number in range(100)]

        _reader, text = read(*parts)

        self.assertIn("Cut here.", text)
        self.assertNotIn("Moment 99", text)
        self.assertLess(len(text), MOST_CHARACTERS * 1.1)

    def test_it_ships_the_fonts_that_were_checked(self) -> None:
        lines = (FONTS / "CHECKSUMS").read_text(encoding="utf-8").splitlines()

        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FONTS.iterdir()}
        found.pop("CHECKSUMS")

        self.assertEqual(found, {line.split()[1]: line.split()[0] for line in lines})

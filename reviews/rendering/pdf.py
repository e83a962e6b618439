"""Draw a document as a PDF with embedded fonts."""

import re
from functools import cache
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, VAlign, WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from reviews.rendering.document import Document, Entry, Numbered, Part, Prose, Table
from reviews.rendering.prose import Block, Run, blocks_of

FONTS = Path(__file__).parent / "fonts"
SANS, MONO, JAPANESE = "dejavu", "dejavu-mono", "mplus"
FILES = {SANS: "DejaVuSans.ttf", MONO: "DejaVuSansMono.ttf", JAPANESE: "MPLUS1p-Regular.ttf"}
BOLD = "DejaVuSans-Bold.ttf"
REPLACEMENT = "\ufffd"
MOST_CHARACTERS = 200_000  # some 50 pages, and seconds
MARGIN, INSET, GAP = 20, 6, 2.5  # millimetres
SIZE, SMALL, LINE = 10, 8, 5.4  # points, points, millimetres
GREY, LINK = (95, 95, 95), (20, 70, 150)
# Scripts that put no spaces between words.
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f]")
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
OTHER_BREAKS = re.compile("\r\n?|[\v\f\x85\u2028\u2029]")


class TooLong(Exception):
    """The document has more characters than a PDF takes."""


@cache
def covered(name: str) -> frozenset[int]:
    """Return the characters of a font."""
    with TTFont(FONTS / FILES[name], lazy=True) as font:
        return frozenset(font.getBestCmap())


def writable(text: str) -> str:
    """Return the text with a visible replacement for what no font has."""
    text = INVISIBLE.sub("", OTHER_BREAKS.sub("\n", text)).replace("\t", "    ")
    if all(ord(mark) in covered(SANS) or mark == "\n" for mark in set(text)):
        return text
    missing = {mark for mark in set(text) if mark != "\n" and not _has(mark)}
    return text.translate({ord(mark): REPLACEMENT for mark in missing})


def _has(mark: str) -> bool:
    return ord(mark) in covered(SANS) or ord(mark) in covered(JAPANESE)


def draw(document: Document) -> bytes:
    """Return the PDF; what is beyond MOST_CHARACTERS is left out, which it says."""
    page = _Page(document)
    try:
        page.add_document()
    except TooLong:
        page.add_note(document.cut)
    return bytes(page.output())


class _Page(FPDF):
    """Pages with a footer, and what of the document was drawn so far."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self.document = document
        self.left = MOST_CHARACTERS
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN)
        self.add_font(SANS, "", FONTS / FILES[SANS])
        self.add_font(SANS, "B", FONTS / BOLD)
        self.add_font(MONO, "", FONTS / FILES[MONO])
        self.set_title(writable(document.title))
        self.set_lang(document.language)
        self.set_creator("Incident Response")
        self.set_creation_date(document.made_at)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font(SANS, size=SMALL)
        self.set_text_color(GREY)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="C")

    def add_document(self) -> None:
        document = self.document
        self._heading(document.title, level=0, size=18)
        for label, cell in document.facts:
            self._write(f"{label}: ", is_strong=True)
            self._write(cell.text, url=cell.url)
            self.ln(LINE)
        for section in document.sections:
            self.ln(GAP * 2)
            self._heading(section.heading, level=1, size=13)
            for part in section.parts:
                self._part(part)

    def add_note(self, text: str) -> None:
        self._new_line()
        self.ln(GAP)
        self._use(is_strong=True)
        self.write(LINE, writable(text))

    def _part(self, part: Part) -> None:
        if isinstance(part, Table):
            self._table(part)
        elif isinstance(part, Numbered):
            for number, text in enumerate(part.texts, 1):
                self._prose(text, marker=f"{number}.")
        elif isinstance(part, Entry):
            if self.will_page_break(LINE * 3):  # a label stays with its text
                self.add_page()
            self.set_left_margin(MARGIN)
            self._write(part.label, is_strong=True, url=part.url)
            self._new_line()
            self._prose(part.text)
        elif isinstance(part, Prose):
            self._prose(part.text)

    def _heading(self, text: str, *, level: int, size: int) -> None:
        text = writable(" ".join(text.split()))
        self._count(text)
        if self.will_page_break(LINE * 4):
            self.add_page()
        self._use(is_strong=True)
        self.start_section(text, level=level)
        self.set_font(SANS, "B", size)
        self._fall_back(text)
        self.multi_cell(0, size * 0.5, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT, wrapmode=_wrapping(text), align="L")
        self.ln(GAP / 2)

    def _prose(self, text: str, *, marker: str = "") -> None:
        for number, block in enumerate(blocks_of(text)):
            self._block(block, marker if number == 0 else "", is_inset=bool(marker))
        self.ln(GAP)
        self.set_left_margin(MARGIN)
        self.set_x(MARGIN)

    def _block(self, block: Block, outer: str, *, is_inset: bool) -> None:
        depth = block.depth + is_inset + block.is_quoted
        marker = block.marker or outer
        edge = MARGIN + INSET * max(depth - bool(marker), 0)
        self.set_left_margin(edge)
        self.set_x(edge)
        if marker:
            self._write(marker)
            self.set_left_margin(edge + INSET)
            self.set_x(max(self.get_x() + 1, edge + INSET))
        for run in block.runs:
            self._run(run, is_quoted=block.is_quoted)
        self._new_line()
        self.ln(GAP / 2)

    def _run(self, run: Run, *, is_quoted: bool) -> None:
        if run.text == "\n":
            self._new_line()
        else:
            self._write(run.text, is_strong=run.is_strong, is_code=run.is_code, url=run.url, is_grey=is_quoted)

    def _write(
        self, text: str, *, is_strong: bool = False, is_code: bool = False, url: str = "", is_grey: bool = False
    ) -> None:
        text = writable(text)
        self._count(text)
        self._use(is_strong=is_strong, is_code=is_code)
        self._fall_back(text)
        self.set_text_color(LINK if url else GREY if is_grey else (0, 0, 0))
        self.write(LINE, text, link=url, wrapmode=_wrapping(text))
        self.set_text_color(0, 0, 0)

    def _table(self, table: Table) -> None:
        self.set_left_margin(MARGIN)
        self.set_x(MARGIN)
        everything = "".join(cell.text for row in table.rows for cell in row) + "".join(table.header)
        self._count(everything)
        self._use(size=SMALL + 0.5)
        self._fall_back(writable(everything))
        with self.table(
            col_widths=table.widths,
            text_align="LEFT",
            line_height=4.6,
            padding=1.2,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            v_align=VAlign.T,
            headings_style=FontFace(emphasis="BOLD", fill_color=(238, 238, 238)),
            wrapmode=_wrapping(everything),
        ) as drawn:
            header = drawn.row()
            for text in table.header:
                header.cell(writable(text))
            for row in table.rows:
                line = drawn.row()
                for cell in row:
                    line.cell(writable(cell.text), link=cell.url or None)
        self.ln(GAP)

    def _use(self, *, is_strong: bool = False, is_code: bool = False, size: float = SIZE) -> None:
        self.set_font(MONO if is_code else SANS, "B" if is_strong and not is_code else "", size - is_code)

    def _fall_back(self, text: str) -> None:
        """Load the large font only where the text needs it."""
        if JAPANESE not in self.fonts and any(ord(mark) not in covered(SANS) for mark in set(text) - {"\n"}):
            self.add_font(JAPANESE, "", FONTS / FILES[JAPANESE])
            self.set_fallback_fonts([SANS, JAPANESE], exact_match=False)

    def _new_line(self) -> None:
        self.ln(LINE)

    def _count(self, text: str) -> None:
        self.left -= len(text)
        if self.left < 0:
            raise TooLong


def _wrapping(text: str) -> WrapMode:
    return WrapMode.CHAR if UNSPACED.search(text) else WrapMode.WORD

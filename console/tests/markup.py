"""Templates as a person meets them: elements, attributes and runs of text, without rendering."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from django.conf import settings
from django.template.base import Lexer, Token, TokenType

ROOT = Path(settings.BASE_DIR)
OURS = ("console/templates", "status_page/templates")
FIRST_MARK = 0xE000
MARK = re.compile("[\ue000-\uf8ff]")
CHOSEN_TAG = re.compile(f"<(/?){MARK.pattern}+(?=[a-z])")  # <{% if … %}a …
# What prints something that reads as part of a sentence, beside `{{ … }}`.
PRINTING = {"when", "person", "status", "severity", "duration", "now", "filesize"}
TRANSPARENT = {"if", "icon", "csrf_token", "spaceless", "endspaceless"}
LITERAL = re.compile(r"""^\w+\s+(?:_\()?(["'])(?P<text>.*?)\1""", re.DOTALL)
INLINE = {"a", "b", "strong", "em", "i", "u"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass(frozen=True)
class Piece:
    """What one template tag, or one translated block, stands for."""

    kind: str  # translated, value, boundary, nothing
    text: str
    line: int


@dataclass
class Element:
    """A start tag as written."""

    name: str
    attributes: dict[str, str]
    line: int
    inside: tuple[str, ...]


@dataclass
class Template:
    """A template, taken apart."""

    path: str
    source: str
    pieces: list[Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = Lexer(self.source).tokenize()
        self.markup = CHOSEN_TAG.sub(r"<\1", "".join(self._replaced(self.tokens)))
        self.unfolded = "".join(token.contents if token.token_type == TokenType.TEXT else " " for token in self.tokens)
        reader = _Reader()
        reader.feed(self.markup)
        reader.close()
        self.elements, self.runs = reader.elements, [*reader.runs, reader.run]

    def _replaced(self, tokens: list[Token]) -> Iterator[str]:
        """Yield the text, each template tag as a mark, what is translated or a comment as a whole."""
        waiting = iter(tokens)
        for token in waiting:
            word = token.contents.split(None, 1)[0] if token.contents.strip() else ""
            if token.token_type == TokenType.TEXT:
                yield token.contents
            elif token.token_type == TokenType.COMMENT or word == "comment":
                if word == "comment" and token.token_type == TokenType.BLOCK:
                    _until(waiting, "endcomment")
            elif token.token_type == TokenType.BLOCK and word in ("blocktranslate", "blocktrans"):
                inside = _until(waiting, f"end{word}")
                text = "".join(part.contents if part.token_type == TokenType.TEXT else "\N{BULLET}" for part in inside)
                is_named = " asvar " in f" {token.contents} "
                yield self._mark(Piece("nothing" if is_named else "translated", text.strip(), token.lineno))
            else:
                yield self._mark(_piece_of(token, word))

    def _mark(self, piece: Piece) -> str:
        self.pieces.append(piece)
        return chr(FIRST_MARK + len(self.pieces) - 1)

    def piece(self, mark: str) -> Piece:
        """The piece that a mark stands for."""
        return self.pieces[ord(mark) - FIRST_MARK]


def _until(tokens: Iterator[Token], end: str) -> list[Token]:
    found = []
    for token in tokens:
        if token.token_type == TokenType.BLOCK and token.contents.split(None, 1)[0] == end:
            break
        found.append(token)
    return found


def _piece_of(token: Token, word: str) -> Piece:
    if token.token_type == TokenType.VAR:
        return Piece("value", token.contents, token.lineno)
    if word in ("translate", "trans"):
        literal = LITERAL.match(token.contents)
        is_named = " as " in token.contents
        return Piece("nothing" if is_named else "translated", literal["text"] if literal else "", token.lineno)
    is_printed = word in PRINTING and " as " not in token.contents
    kind = "value" if is_printed else "nothing" if word in TRANSPARENT | PRINTING else "boundary"
    return Piece(kind, token.contents, token.lineno)


class _Reader(HTMLParser):
    """Gathers elements and runs: text with the inline elements in it, between other elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[str] = []
        self.runs: list[list[tuple[str, str, int, tuple[str, ...]]]] = []
        self.run: list[tuple[str, str, int, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {MARK.sub("", name).strip("'\""): value or "" for name, value in attrs}
        self.elements.append(Element(tag, named, self.getpos()[0], tuple(self.open)))
        self._pass(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass
        self._pass(tag)

    def handle_data(self, data: str) -> None:
        self.run.append(("text", data, self.getpos()[0], tuple(self.open)))

    def _pass(self, tag: str) -> None:
        if tag in INLINE:
            self.run.append(("inline", tag, self.getpos()[0], tuple(self.open)))
        else:
            self.runs.append(self.run)
            self.run = []


def template(source: str, path: str = "") -> Template:
    """One template of this text."""
    return Template(path, source)


def templates() -> list[Template]:
    """Those of the pages that people look at, not the back office's and not mails."""
    paths = sorted(path for folder in OURS for path in (ROOT / folder).rglob("*.html"))
    return [Template(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths]

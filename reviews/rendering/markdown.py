"""Write a document in Markdown (CommonMark with tables); nothing that people wrote is markup unless they may use it."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from reviews.rendering.document import Cell, Document, Entry, Numbered, Part, Prose, Table
from reviews.rendering.prose import Block, Run, blocks_of

SPECIAL = re.compile(r"([\\`*_\[\]<>|~]|&(?=#?\w+;)|!\Z)")  # a link may follow the last
# what begins a heading, a list or a rule
LEADING = re.compile(r"^(\s*)([#+=-])|^(\s*\d+)([.)])", re.MULTILINE)
TICKS = re.compile(r"`+")
SAFE = "/:?#@!$&'*+,;=%~"  # of web addresses, but for brackets


def to_markdown(document: Document) -> str:
    """Return the document's text."""
    return "\n".join(_lines(document)).rstrip("\n") + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"# {_line(document.title)}"
    yield ""
    for label, cell in document.facts:
        yield f"- **{_line(label)}:** {_cell(cell)}"
    for section in document.sections:
        yield ""
        yield f"## {_line(section.heading)}"
        for part in section.parts:
            yield ""
            yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    if isinstance(part, Prose):
        yield from _prose(part.text)
    elif isinstance(part, Entry):
        yield f"**{_link(_line(part.label), part.url)}**"
        yield ""
        yield from _prose(part.text)
    elif isinstance(part, Numbered):
        for number, text in enumerate(part.texts, 1):
            start = f"{number}. "
            lines = list(_prose(text))
            yield start + "\n".join([*lines[:1], *(_indented(line, len(start)) for line in lines[1:])])
    else:
        yield from _table(part)


def _prose(text: str) -> Iterator[str]:
    """Yield lines; blocks are apart, items of a list together."""
    before: Block | None = None
    for block in blocks_of(text):
        if before is not None and not (block.marker and before.marker):
            yield ""
        yield from _block(block)
        before = block


def _block(block: Block) -> Iterator[str]:
    marker = {"•": "- ", "": ""}.get(block.marker, f"{block.marker} ")
    inset = "    " * max(block.depth - 1, 0) + ("" if block.marker or not block.depth else "  ")
    text = _fenced(block) if block.is_code else _text(block.runs)
    quoted = "> " if block.is_quoted else ""
    first, *rest = text.split("\n")
    yield f"{inset}{marker}{quoted}{first}"
    for line in rest:
        yield f"{inset}{' ' * len(marker)}{quoted}{line}"


def _text(runs: tuple[Run, ...]) -> str:
    written = "".join(map(_run, runs))
    return LEADING.sub(r"\1\3\\\2\4", written).replace("\n", "  \n")


def _run(run: Run) -> str:
    if run.text == "\n":
        return run.text
    said = _code(run.text) if run.is_code else SPECIAL.sub(r"\\\1", run.text)
    said = f"**{said}**" if run.is_strong and said.strip() == said else said
    return _link(said, run.url)


def _code(text: str) -> str:
    ticks = "`" * (max(map(len, TICKS.findall(text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _fenced(block: Block) -> str:
    text = block.runs[0].text
    ticks = "`" * max(3, max(map(len, TICKS.findall(text)), default=0) + 1)
    return f"{ticks}\n{text}\n{ticks}"


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(_line, table.header))} |"
    yield f"|{'---|' * len(table.header)}"
    for row in table.rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(cell: Cell) -> str:
    return _link(_line(cell.text), cell.url)


def _line(text: str) -> str:
    """Return plain text on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _link(text: str, url: str) -> str:
    return f"[{text}]({quote(url, safe=SAFE)})" if url else text


def _indented(line: str, width: int) -> str:
    return f"{' ' * width}{line}" if line else line

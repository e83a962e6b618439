"""Read the Markdown that people write into plain blocks: what documents show of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"html": False}).disable("image")
_ABSOLUTE = re.compile(r"https?://[^/]", re.IGNORECASE)
DEEPEST = 4  # levels of lists that are told apart


@dataclass(frozen=True)
class Run:
    """Text of one look; "\n" begins a line."""

    text: str
    is_strong: bool = False
    is_code: bool = False
    url: str = ""


@dataclass(frozen=True)
class Block:
    """A paragraph; `marker` stands before an item of a list, `depth` levels in."""

    runs: tuple[Run, ...]
    depth: int = 0
    marker: str = ""
    is_code: bool = False
    is_quoted: bool = False


def blocks_of(text: str) -> list[Block]:
    """Return paragraphs, items of lists, quotations and code; HTML is text, headings are strong paragraphs."""
    return list(_blocks(_PARSER.parse(text)))


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    lists: list[int | None] = []  # the next number of each open list; None of bullets
    quotes, marker, is_heading = 0, "", False
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(int(token.attrs.get("start", 1)) if token.tag == "ol" else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
        elif token.type == "list_item_open":
            marker = _marker(lists)
        elif token.type in ("blockquote_open", "blockquote_close"):
            quotes += token.nesting
        elif token.type in ("heading_open", "heading_close"):
            is_heading = token.nesting == 1
        elif token.type in ("fence", "code_block"):
            yield Block((Run(token.content.rstrip("\n"), is_code=True),), len(lists), marker, is_code=True)
            marker = ""
        elif token.type == "inline":
            runs = tuple(replace(run, is_strong=run.is_strong or is_heading) for run in _runs(token.children or []))
            yield Block(runs, min(len(lists), DEEPEST), marker, is_quoted=quotes > 0)
            marker = ""


def _marker(lists: list[int | None]) -> str:
    number = lists[-1]
    if number is None:
        return "•"
    lists[-1] = number + 1
    return f"{number}."


def _runs(tokens: Sequence[Token]) -> Iterator[Run]:
    strong, url = 0, ""
    for token in tokens:
        if token.type in ("strong_open", "strong_close", "em_open", "em_close"):
            strong += token.nesting
        elif token.type == "link_open":
            address = str(token.attrs.get("href", ""))
            url = address if _ABSOLUTE.match(address) else ""
        elif token.type == "link_close":
            url = ""
        elif token.type in ("softbreak", "hardbreak"):
            yield Run("\n")
        elif token.content:
            yield Run(token.content, strong > 0, token.type == "code_inline", url)

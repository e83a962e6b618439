import re

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token

# commonmark and tables; no links or pictures, whose files are not served
TAGS = {
    *("blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
SCHEMES = {"http", "https"}
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
_OF_PEOPLE = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
_ABSOLUTE = re.compile(r"https?://[^/]", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}]")


def render_markdown(text: str) -> SafeString:
    """Return a page's HTML, with lowered headings, for `.ir-guide`."""
    return _render(_PARSER, _PARSER.parse(text), TAGS)


def render_note(text: str) -> SafeString:
    """Return what people wrote as HTML: lines stay lines, web addresses become links that pass nothing on."""
    tokens = _OF_PEOPLE.parse(text)
    for token in tokens:
        if token.type == "inline":
            token.children = _linked(token.children or [])
    return _render(_OF_PEOPLE, tokens, TAGS | {"a"})


def _render(parser: MarkdownIt, tokens: list[Token], tags: set[str]) -> SafeString:
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = "h3" if token.tag in ("h1", "h2") else token.tag
    shown = nh3.clean(
        parser.renderer.render(tokens, parser.options, {}),
        tags=tags,
        attributes={"a": {"href"}} if "a" in tags else {},
        attribute_filter=lambda _tag, name, value: None if name == "href" and not _ABSOLUTE.match(value) else value,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(f'<div class="ir-guide">{shown}</div>')  # noqa: S308 (cleaned)


def _linked(tokens: list[Token]) -> list[Token]:
    """Return inline tokens with bare web addresses as links."""
    found: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        found += _addresses_in(token) if token.type == "text" and not depth else [token]
    return found


def _addresses_in(token: Token) -> list[Token]:
    pieces, start = [], 0
    for match in _ADDRESS.finditer(token.content):
        opening, closing = Token("link_open", "a", 1), Token("link_close", "a", -1)
        opening.attrSet("href", match.group())
        pieces += [_text(token.content[start : match.start()]), opening, _text(match.group()), closing]
        start = match.end()
    return [*pieces, _text(token.content[start:])] if pieces else [token]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)

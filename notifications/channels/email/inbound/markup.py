"""The text of HTML in linear time; parsers take quadratic."""

import html
import re

BLOCKS = frozenset(
    {"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "hr", "table"}
)
UNSEEN = frozenset({"script", "style", "head", "title", "template"})
TAG = re.compile(r"(/?)([a-zA-Z][a-zA-Z0-9]*)")
MOST_QUOTED = 5
BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n){2,}")


def text_of_html(markup: str) -> str:
    """Return the text, in lines; quotes begin with `> `, items of lists with `- `."""
    pieces: list[str] = []
    quoted = place = 0
    folded = markup.lower()
    while (start := markup.find("<", place)) >= 0:
        pieces.append(_words(markup[place:start]))
        if markup.startswith("<!--", start):
            place = _after(markup, "-->", start)
            continue
        place = _after(markup, ">", start)
        tag = TAG.match(markup, start + 1)
        if tag is None:
            if markup[start + 1 : start + 2] not in ("!", "?"):
                pieces.append("<")  # no tag: text
                place = start + 1
            continue
        is_end, name = bool(tag[1]), tag[2].lower()
        if name in UNSEEN and not is_end:
            place = _after(markup, ">", _after(folded, f"</{name}", place))
        elif name in BLOCKS:
            quoted = max(0, quoted + (-1 if is_end else 1)) if name == "blockquote" else quoted
            pieces.append(f"\n{'> ' * min(quoted, MOST_QUOTED)}{'- ' if name == 'li' and not is_end else ''}")
    pieces.append(_words(markup[place:]))
    lines = (line.strip() for line in "".join(pieces).split("\n"))
    return BLANK_LINES.sub("\n\n", "\n".join("" if set(line) <= {">", " "} else line for line in lines)).strip()


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(text)) if text else ""


def _after(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return len(text) if found < 0 else found + len(mark)

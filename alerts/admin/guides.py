"""The guides of vendors as the back office shows them: the few forms of Markdown that they use."""

import re
import textwrap
from collections.abc import Iterator
from itertools import groupby

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

_CODE = re.compile(r"`([^`]+)`")
_INLINE = (
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])"), r"<i>\1</i>"),
    (re.compile(r"\[([^\]]+)\]\([^)]*\)"), r"\1"),  # they lead to files that are not served
)


def rendered(text: str) -> SafeString:
    """A page as HTML; everything in it is escaped first."""
    blocks = []
    for index, part in enumerate(re.split(r"^```.*$", text, flags=re.MULTILINE)):
        if index % 2:
            blocks.append(format_html('<pre class="ir-pre">{}</pre>', part.strip("\n")))
        else:
            blocks += _blocks(part)
    return format_html_join("\n", "{}", ((block,) for block in blocks))


def _blocks(text: str) -> Iterator[SafeString]:
    for kind, lines in groupby(text.splitlines(), key=_kind):
        if kind == "code":
            yield format_html('<pre class="ir-pre">{}</pre>', textwrap.dedent("\n".join(lines)))
            continue
        found = [line.strip() for line in lines]
        if kind == "heading":
            for line in found:
                yield format_html('<h3 class="ir-subheading">{}</h3>', _inline(line.lstrip("# ")))
        elif kind == "table":
            yield _table(found)
        elif kind == "text":
            yield from _prose(found)


def _kind(line: str) -> str:
    if line.startswith("#"):
        return "heading"
    if line.startswith("|"):
        return "table"
    if line.startswith("    ") and line.strip():
        return "code"
    return "text" if line.strip() else ""


def _prose(lines: list[str]) -> Iterator[SafeString]:
    """A paragraph, or the items of a list; an item goes on in the lines after it."""
    for line in re.split(r"\n(?=- )", "\n".join(lines)):
        is_item = line.startswith("- ")
        shown = _inline(line.removeprefix("- ").replace("\n", " "))
        yield format_html('<p class="{}">{}</p>', "ir-item" if is_item else "ir-lead", shown)


def _table(lines: list[str]) -> SafeString:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    body = [row for row in rows[1:] if set("".join(row)) - set("-: ")]
    return format_html(
        '<div class="ir-scroll"><table class="ir-table ir-guide">{}{}</table></div>',
        _row(rows[0]),
        format_html_join("", "{}", ((_row(row),) for row in body)),
    )


def _row(cells: list[str]) -> SafeString:
    return format_html("<tr>{}</tr>", format_html_join("", "<td>{}</td>", ((_inline(cell),) for cell in cells)))


def _inline(text: str) -> SafeString:
    parts = _CODE.split(str(escape(text)))
    for pattern, replacement in _INLINE:
        parts[::2] = [pattern.sub(replacement, part) for part in parts[::2]]
    parts[1::2] = [f'<code class="ir-code">{part}</code>' for part in parts[1::2]]
    return mark_safe("".join(parts))  # noqa: S308 (escaped above; only our own tags were added)

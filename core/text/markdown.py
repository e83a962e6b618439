import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# commonmark and tables; no links or pictures, whose files are not served
TAGS = {
    *("blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


def render_markdown(text: str) -> SafeString:
    """Return a page's HTML, with lowered headings, for `.ir-guide`."""
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type.startswith("heading"):
            token.tag = "h3" if token.tag in ("h1", "h2") else token.tag
    shown = nh3.clean(_PARSER.renderer.render(tokens, _PARSER.options, {}), tags=TAGS, attributes={})
    return mark_safe(f'<div class="ir-guide">{shown}</div>')  # noqa: S308 (cleaned)

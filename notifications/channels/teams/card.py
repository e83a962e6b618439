"""Messages as Adaptive Cards for a Teams workflow. Pure.

Source: https://adaptivecards.io/explorer, version 1.4. Of Teams' 28 KB, its workflow uses 4.5 KB
(MicrosoftDocs/msteams-docs#11274).
"""

import json
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from notifications.channels.chat.words import cut, facts, heading, lines_of, summary
from notifications.channels.port import Message

MAX_BYTES = 22_000
TITLE, LINE, BODY = 500, 500, 8000
MAX_LINES = 20
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
COLOURS = {"critical": "Attention", "high": "Warning", "medium": "Accent", "low": "Default"}

Part = dict[str, Any]


def layout(message: Message) -> bytes:
    """Return the request's body; the text is cut, links stay."""
    for body, lines in ((BODY, MAX_LINES), (2000, MAX_LINES), (1000, 10), (300, 3), (0, 0)):
        content = json.dumps(_envelope(message, body, lines), ensure_ascii=False, separators=(",", ":")).encode()
        if len(content) <= MAX_BYTES:
            break
    return content


def _envelope(message: Message, body: int, lines: int) -> Part:
    card = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": cut(summary(message), TITLE),
        "msteams": {"width": "Full"},
        "body": _body(message, body, lines),
        "actions": _links(message),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _body(message: Message, body: int, lines: int) -> list[Part]:
    title = _text(cut(heading(message) or message.kind, TITLE), size="Large", weight="Bolder", style="heading")
    parts = [title]
    if shown := facts(message):
        parts.append(_text(shown, weight="Bolder", color=COLOURS.get(message.severity, "Default")))
    if body and (text := message.body.strip()):
        parts.append(_text(cut(text, body)))
    told = lines_of(message)
    parts += [_text(cut(line, LINE), spacing="Small") for line in told[:lines]]
    if (more := len(told) - lines) > 0:
        parts.append(_text(_("and %(count)s more") % {"count": more}, isSubtle=True, spacing="Small"))
    return parts


def _text(text: str, **options: Any) -> Part:
    return {"type": "TextBlock", "text": escape(text), "wrap": True, **options}


def escape(text: str) -> str:
    """Return text without Markdown."""
    for character in "\\`*_[]()":
        text = text.replace(character, f"\\{character}")
    return text


def _links(message: Message) -> list[Part]:
    links = [(_("Answer"), message.answer_url), (pgettext("button", "Open"), message.url)]
    return [{"type": "Action.OpenUrl", "title": title, "url": url} for title, url in links if url]

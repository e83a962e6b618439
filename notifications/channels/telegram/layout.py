"""Messages as Telegram's HTML. Pure.

Source: https://core.telegram.org/bots/api. Limits: 4,096 UTF-16 units after entities
are read, 64 bytes of callback_data.
"""

from html import escape
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from notifications.channels.chat.words import ELLIPSIS, buttons_of, facts, heading, lines_of, link_button
from notifications.channels.port import Message

MOST = 4096
TITLE, BODY, LINE = 400, 2200, 300
MAX_LINES = 20
SEPARATOR = ":"
ROOM_FOR_LINES = MOST - TITLE - BODY - 300


def layout(message: Message) -> dict[str, Any]:
    """Return the parameters of sendMessage or editMessageText, without the chat."""
    parts = [f"<b>{escape(cut(heading(message) or message.kind, TITLE))}</b>"]
    if shown := facts(message):
        parts.append(escape(shown))
    if body := message.body.strip():
        parts.append(escape(cut(body, BODY)))
    parts += _lines(message)
    if message.url:
        opening = pgettext("button", "Open")
        parts.append(f'<a href="{escape(message.url)}">{escape(opening)}</a>')
    found: dict[str, Any] = {
        "text": "\n".join(parts),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    keyboard = _keyboard(message)
    if keyboard or message.edits:
        found["reply_markup"] = {"inline_keyboard": keyboard}
    return found


def cut(text: str, most: int) -> str:
    """Return the text in at most so many UTF-16 units."""
    units = text.encode("utf-16-le", "replace")
    if len(units) <= 2 * most:
        return text
    return units[: 2 * (most - 1)].decode("utf-16-le", "ignore").rstrip() + ELLIPSIS


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "replace")) // 2


def _lines(message: Message) -> list[str]:
    shown: list[str] = []
    room = ROOM_FOR_LINES
    lines = lines_of(message)
    for line in lines[:MAX_LINES]:
        text = cut(line, LINE)
        if (needed := _units(text) + 1) > room:
            break
        room -= needed
        shown.append(escape(text))
    more = len(lines) - len(shown)
    return [*shown, _("and %(count)s more") % {"count": more}] if more else shown


def _keyboard(message: Message) -> list[list[dict[str, str]]]:
    buttons = [
        {"text": button.label, "callback_data": f"{button.action}{SEPARATOR}{button.value or message.incident}"}
        for button in buttons_of(message)
    ]
    if linked := link_button(message):
        buttons.append({"text": linked.label, "url": message.answer_url})
    return [buttons[start : start + 2] for start in range(0, len(buttons), 2)]

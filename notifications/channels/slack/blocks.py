"""Messages as Slack's Block Kit. Pure.

Source of the limits: https://docs.slack.dev/reference/block-kit.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from notifications.channels.chat.words import buttons_of, cut, facts, heading, lines_of, link_button, summary
from notifications.channels.port import Message

HEADER, SECTION, BUTTON, TEXT = 150, 3000, 75, 4000
MAX_LINES = 20
NOTE = 3000

# its value is the incident's number, or the button's own
ACTION_PREFIX = "incident."
NOTE_INPUT = f"{ACTION_PREFIX}note_text"
STYLES = {"acknowledge": "primary", "resolve": "danger", "approve_run": "primary", "reject_run": "danger"}

Block = dict[str, Any]


def escape(text: str) -> str:
    """Return text without links and mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def layout(message: Message, *, with_buttons: bool = True) -> tuple[str, list[Block]]:
    """Return the text for notifications and the blocks."""
    blocks: list[Block] = [{"type": "header", "text": _plain(heading(message) or message.kind, HEADER)}]
    if shown := facts(message):
        blocks.append(_section(f"*{escape(shown)}*"))
    if body := message.body.strip():
        blocks.append(_section(escape(body)))
    if lines := lines_of(message):
        blocks.append(_lines(lines))
    if with_buttons and (elements := _buttons(message)):
        blocks.append({"type": "actions", "block_id": "incident.buttons", "elements": elements})
    if message.url:
        opening = pgettext("button", "Open")
        blocks.append({"type": "context", "elements": [_mrkdwn(f"<{_link(message.url)}|{escape(opening)}>")]})
    return cut_escaped(escape(summary(message)), TEXT), blocks


def note_form(number: int, reference: str) -> list[Block]:
    """Return a field that sends a note when Enter is pressed."""
    return [
        {
            "type": "input",
            "block_id": f"note.{number}",
            "dispatch_action": True,
            "label": _plain(_("Note for %(incident)s") % {"incident": reference}, 2000),
            "element": {
                "type": "plain_text_input",
                "action_id": NOTE_INPUT,
                "max_length": NOTE,
                "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
            },
        }
    ]


def _lines(lines: list[str]) -> Block:
    shown = [cut_escaped(escape(line), 500) for line in lines[:MAX_LINES]]
    more = len(lines) - len(shown)
    return _section("\n".join([*shown, _("and %(count)s more") % {"count": more}] if more else shown))


def _buttons(message: Message) -> list[Block]:
    elements = []
    for button in buttons_of(message):
        value = {"action_id": f"{ACTION_PREFIX}{button.action}", "value": button.value or str(message.incident)}
        style = {"style": STYLES[button.action]} if button.action in STYLES else {}
        elements.append({"type": "button", "text": _plain(button.label, BUTTON), **value, **style})
    if linked := link_button(message):
        link = {"action_id": "link", "url": message.answer_url}
        elements.append({"type": "button", "text": _plain(linked.label, BUTTON), **link})
    return elements


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(cut_escaped(text, SECTION))}


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": cut(text, most) or "—", "emoji": False}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _link(url: str) -> str:
    return url.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C").replace("&", "&amp;")


def cut_escaped(text: str, most: int) -> str:
    """Cut escaped text without leaving half an entity."""
    if len(text) <= most:
        return text
    shortened = cut(text, most)
    start = shortened.rfind("&", len(shortened) - 6)
    return shortened if start == -1 or ";" in shortened[start:] else f"{shortened[:start]}…"

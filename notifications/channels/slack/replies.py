"""Answers to whoever pressed a button or typed a command in Slack: seen by that person only."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from notifications.channels.chat.platforms import Platform
from notifications.channels.port import Failed
from notifications.channels.slack.blocks import Block, cut_escaped, escape, note_form
from notifications.channels.slack.client import is_slacks, post_to_webhook

MOST = 4000


def tell(reply: Mapping[str, Any], text: str) -> None:
    _post(reply, cut_escaped(escape(text), MOST))


def ask_note(reply: Mapping[str, Any], number: int, reference: str) -> None:
    _post(reply, _("Note for %(incident)s") % {"incident": reference}, note_form(number, reference))


def _post(reply: Mapping[str, Any], text: str, blocks: list[Block] | None = None) -> None:
    url = str(reply.get("response_url", ""))
    if not is_slacks(url):
        raise Failed("The response_url is not Slack's.", is_permanent=True)
    content: dict[str, Any] = {"response_type": "ephemeral", "replace_original": False, "text": text}
    post_to_webhook(url, content | ({"blocks": blocks} if blocks else {}))


PLATFORM = Platform("slack", "Slack", "/incident ", tell, ask_note)

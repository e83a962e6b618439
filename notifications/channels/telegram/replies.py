"""Answers in Telegram."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from notifications.channels.chat.platforms import Platform
from notifications.channels.telegram.client import call
from notifications.channels.telegram.layout import MOST, cut

ALERT = 200  # characters of a callback's answer


def note_for(reference: str) -> str:
    """Return what asks for a note; the bot knows its own question again by it, in any language."""
    return _("Note for %(incident)s: reply to this message.") % {"incident": reference}


def tell(reply: Mapping[str, Any], text: str) -> None:
    """Answer the press, else the message."""
    callback = reply.get("callback")
    if callback:
        call("answerCallbackQuery", {"callback_query_id": callback, "text": cut(text, ALERT), "show_alert": True})
    elif chat := reply.get("chat"):
        call("sendMessage", {"chat_id": chat, "text": cut(text, MOST)})


def ask_note(reply: Mapping[str, Any], number: int, reference: str) -> None:
    if callback := reply.get("callback"):
        call("answerCallbackQuery", {"callback_query_id": callback})
    form = {"force_reply": True, "selective": True, "input_field_placeholder": _("What you found")}
    text = note_for(reference)
    call("sendMessage", {"chat_id": reply.get("chat"), "text": text, "reply_markup": form})


PLATFORM = Platform("telegram", "Telegram", "/", tell, ask_note)

"""Answers in Telegram."""

from collections.abc import Mapping
from typing import Any

from notifications.channels.chat.platforms import Platform
from notifications.channels.telegram.client import call
from notifications.channels.telegram.layout import MOST, cut

ALERT = 200  # characters of a callback's answer
NOTE_FOR = "Note for {reference}: reply to this message."


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
    form = {"force_reply": True, "selective": True, "input_field_placeholder": "What you found"}
    text = NOTE_FOR.format(reference=reference)
    call("sendMessage", {"chat_id": reply.get("chat"), "text": text, "reply_markup": form})


PLATFORM = Platform("telegram", "Telegram", "/", tell, ask_note)

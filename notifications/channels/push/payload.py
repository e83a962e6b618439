"""Declarative messages (W3C Push API), visible without a script."""

import json
from typing import Any

from django.conf import settings

from notifications.channels.port import Message

LONGEST_TITLE = 150
DEFAULT_TITLE = "Incident Response"


def payload_of(message: Message, most: int) -> bytes:
    """Return JSON of at most so many bytes; the text is cut."""
    text = "\n".join(part for part in (message.body, *message.lines) if part)[:most]
    content = _encoded(message, text)
    while len(content) > most and text:
        text = text[: -max(1, (len(content) - most) // 6)].rstrip()
        content = _encoded(message, text + "…")
    return content


def _encoded(message: Message, text: str) -> bytes:
    payload = {"web_push": 8030, "notification": _notification(message, text)}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _notification(message: Message, text: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "title": " ".join(message.title.split())[:LONGEST_TITLE] or DEFAULT_TITLE,
        "body": text,
        "navigate": message.url or settings.PUBLIC_URL,
        "lang": message.language,
        "dir": "auto",
        # The tag replaces what is shown about the same incident, which would then make no sound.
        "tag": message.thread or message.key,
        "renotify": True,
        "silent": False,
        "requireInteraction": message.kind == "page",
        "data": {
            "key": message.key,
            "kind": message.kind,
            "incident": message.incident,
            "reference": message.reference,
            "severity": message.severity,
            "status": message.status,
            "count": message.count,
        },
    }
    if message.occurred_at is not None:
        shown["timestamp"] = int(message.occurred_at.timestamp() * 1000)
    if message.answer_url:
        shown["actions"] = [
            {"action": button.action, "title": button.label, "navigate": message.answer_url}
            for button in message.buttons
            if button.action == "acknowledge"
        ]
    return shown

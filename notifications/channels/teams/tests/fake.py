"""A stand-in for a Teams workflow: its size and rate limits, and 202 for what it accepts."""

import json
import time
from collections.abc import Callable
from typing import Any

from notifications.channels.chat.tests.server import FakeServer

MOST, OVERHEAD = 28_672, 4_500  # MicrosoftDocs/msteams-docs#11274: 24,453 bytes sent arrived as 28,897


class FakeTeams(FakeServer):
    def __init__(self, port: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.cards, self.moments = clock, [], []  # type: ignore[var-annotated]
        self.status = 0
        super().__init__(port)

    def judge(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        if self.status:
            return self.status, {}, b""
        now = self.clock()
        self.moments = [moment for moment in self.moments if now - moment < 1]
        if len(self.moments) >= 4:
            return 429, {"Retry-After": "2"}, b""
        if headers.get("content-type") != "application/json" or "sig=" not in path:
            return 401, {}, b""
        if len(body) + OVERHEAD > MOST:
            return 413, {}, {"error": {"code": "MessageSizeExceeded"}}
        if error := judge_card(json.loads(body)):
            return 400, {}, {"error": {"code": "InvalidParameter", "message": error}}
        self.moments.append(now)
        self.cards.append(json.loads(body)["attachments"][0]["content"])
        return 202, {"x-ms-workflow-run-id": "08585"}, b""


def judge_card(given: dict[str, Any]) -> str:
    """Return what is wrong with it, by the explorer's tables for version 1.4."""
    if set(given) != {"type", "attachments"} or given["type"] != "message" or len(given["attachments"]) != 1:
        return "not a message with one attachment"
    attachment = given["attachments"][0]
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" or attachment["contentUrl"] is not None:
        return "not a card"
    card = attachment["content"]
    if set(card) - {"$schema", "type", "version", "fallbackText", "msteams", "body", "actions"}:
        return "unknown property"
    if (card["type"], card["version"]) != ("AdaptiveCard", "1.4") or not card["body"]:
        return "not a card of 1.4"
    return next((error for part in card["body"] + card["actions"] if (error := _judge_part(part))), "")


WORDS = {
    "size": {"Default", "Small", "Medium", "Large", "ExtraLarge"},
    "weight": {"Default", "Lighter", "Bolder"},
    "color": {"Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"},
    "spacing": {"Default", "None", "Small", "Medium", "Large", "ExtraLarge", "Padding"},
    "style": {"default", "heading"},
}


def _judge_part(part: dict[str, Any]) -> str:
    if part["type"] == "Action.OpenUrl":
        return "" if set(part) == {"type", "title", "url"} and part["url"].startswith("https://") else "link"
    if part["type"] != "TextBlock" or not part.get("text", "").strip():
        return f"part {part['type']}"
    if set(part) - {"type", "text", "wrap", "isSubtle", *WORDS}:
        return "unknown property of a text"
    return next((name for name, words in WORDS.items() if name in part and part[name] not in words), "")

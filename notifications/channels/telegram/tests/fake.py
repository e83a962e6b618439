"""A stand-in for Telegram's Bot API. Source: https://core.telegram.org/bots/api."""

import json
from html.parser import HTMLParser
from itertools import count
from typing import Any

from notifications.channels.chat.tests.server import FakeServer, route_of

TOKEN, SECRET = "123456:AAtest-token", "webhook-secret"
KNOWN = {
    "sendMessage": {"chat_id", "text", "parse_mode", "link_preview_options", "reply_markup"},
    "editMessageText": {"chat_id", "message_id", "text", "parse_mode", "link_preview_options", "reply_markup"},
    "answerCallbackQuery": {"callback_query_id", "text", "show_alert"},
}
TAGS = {"b", "strong", "i", "em", "u", "s", "code", "pre", "a"}


class FakeTelegram(FakeServer):
    def __init__(self, port: int = 0) -> None:
        self.chats: set[int | str] = {111, -100222}
        self.errors: dict[str, tuple[int, str, dict[str, Any]]] = {}
        self.messages: dict[tuple[str, int], dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self.callbacks: list[dict[str, Any]] = []
        self.numbers = count(1)
        super().__init__(port)

    def judge(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
        _empty, bot, name = route_of(path).split("/")
        if bot != f"bot{TOKEN}":
            return _refused(401, "Unauthorized")
        if name not in KNOWN:
            return _refused(404, "Not Found")
        given = json.loads(body)
        if set(given) - KNOWN[name]:
            return _refused(400, "Bad Request: unknown parameter")
        if name == "answerCallbackQuery":
            if len(given.get("text", "")) > 200:
                return _refused(400, "Bad Request: MESSAGE_TOO_LONG")
            self.callbacks.append(given)
            return 200, {}, {"ok": True, "result": True}
        chat = str(given.get("chat_id", ""))
        if chat in self.errors:
            return _refused(*self.errors[chat])
        if chat not in {str(one) for one in self.chats}:
            return _refused(400, "Bad Request: chat not found")
        if error := judge_text(given):
            return _refused(400, f"Bad Request: {error}")
        return self._send(chat, given) if name == "sendMessage" else self._edit(chat, given)

    def _send(self, chat: str, given: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        number = next(self.numbers)
        self.messages[chat, number] = given
        self.sent.append(given)
        return 200, {}, {"ok": True, "result": {"message_id": number, "chat": {"id": int(chat), "type": "private"}}}

    def _edit(self, chat: str, given: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        place = (chat, int(given["message_id"]))
        if place not in self.messages:
            return _refused(400, "Bad Request: message to edit not found")
        kept = {key: given.get(key) for key in ("text", "reply_markup")}
        if kept == {key: self.messages[place].get(key) for key in ("text", "reply_markup")}:
            return _refused(400, "Bad Request: message is not modified: specified new message content is the same")
        self.messages[place] = given
        return 200, {}, {"ok": True, "result": {"message_id": place[1], "chat": {"id": int(chat), "type": "private"}}}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.open, self.wrong = "", [], ""  # type: ignore[var-annotated]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag not in TAGS or any(name != "href" for name, _value in attrs):
            self.wrong = f"can't parse entities: unsupported start tag {tag}"

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong = "can't parse entities: unexpected end tag"

    def handle_data(self, data: str) -> None:
        self.text += data


def judge_text(given: dict[str, Any]) -> str:
    """Return Telegram's objection to a text and its buttons, or nothing."""
    reader = _Reader()
    reader.feed(given.get("text", ""))
    reader.close()
    if reader.wrong or reader.open:
        return reader.wrong or "can't parse entities: unclosed tag"
    if not reader.text.strip():
        return "message text is empty"
    if len(reader.text.encode("utf-16-le")) // 2 > 4096:
        return "message is too long"
    markup = given.get("reply_markup", {})
    for row in markup.get("inline_keyboard", []):
        for button in row:
            if set(button) == {"text", "url"}:
                continue
            if set(button) != {"text", "callback_data"} or not 1 <= len(button["callback_data"].encode()) <= 64:
                return "BUTTON_DATA_INVALID"
    return ""


def _refused(
    status: int, description: str, parameters: dict[str, Any] | None = None
) -> tuple[int, dict[str, str], dict[str, Any]]:
    found = {"ok": False, "error_code": status, "description": description}
    return status, {}, found | ({"parameters": parameters} if parameters else {})

"""What Telegram sends the bot. Pure. Source: https://core.telegram.org/bots/api#update."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from core.text.languages import codes, reading
from core.text.sentences import Sentence
from notifications.channels.chat.asked import Asked
from notifications.channels.chat.commands import HELP, parse
from notifications.channels.telegram.layout import SEPARATOR
from notifications.channels.telegram.replies import note_for

KIND = "telegram"
MOST = 3000
CHAT_ID = Sentence("This chat's ID is %(number)s.")
_DATA = re.compile(rf"([a-z_]{{1,32}}){SEPARATOR}(\d{{1,18}})(?:{SEPARATOR}([0-9a-f]{{8,24}}))?")
_COMMAND = re.compile(r"/([A-Za-z_]{1,32})(?:@\w{3,40})?(?:\s+|$)(.*)", re.DOTALL)
_CODE = re.compile(r"[2-9A-Za-z]{4}-?[2-9A-Za-z]{4}")


def read_update(update: Mapping[str, Any]) -> Asked | None:
    """Return what an update asks for, if anything."""
    name = str(update.get("update_id", ""))
    if callback := _mapping(update.get("callback_query")):
        return _of_callback(name, callback)
    message = _mapping(update.get("message"))
    return _of_message(name, message) if message else None


def _of_callback(name: str, callback: Mapping[str, Any]) -> Asked | None:
    person = _id(callback.get("from"))
    match = _DATA.fullmatch(str(callback.get("data", "")))
    if not person or not match:
        return None
    reply = {"callback": str(callback.get("id", ""))[:64], "chat": person}
    return Asked(KIND, name, person, match[1], int(match[2]), match[3] or "", reply=reply)


def _of_message(name: str, message: Mapping[str, Any]) -> Asked | None:
    person, chat = _id(message.get("from")), _id(message.get("chat"))
    text = str(message.get("text", ""))[:MOST].strip()
    if not person or not chat or not text or _mapping(message.get("from")).get("is_bot"):
        return None
    # In a group, answers go to the person: others there may not see the incident.
    reply, data = {"chat": person, "public": chat}, {} if chat == person else {"is_public": True}
    asked_of = str(_mapping(message.get("reply_to_message")).get("text", ""))
    if match := _asked_for_note().match(asked_of):
        return Asked(KIND, name, person, "note", int(match[1]), text, reply, data)
    if match := _COMMAND.fullmatch(text):
        return _of_command(name, person, match[1].lower(), match[2], reply, data)
    if chat == person and _CODE.fullmatch(text):
        return Asked(KIND, name, person, "link", None, text, reply, data)
    return Asked(KIND, name, person, HELP, None, "", reply, data) if chat == person else None


@cache
def _asked_for_note() -> re.Pattern[str]:
    """Return what the bot's own question for a note looks like, in each language."""
    asked = []
    for code in codes():
        with reading(code):
            asked.append(re.escape(note_for("INC-0")).replace(re.escape("INC-0"), r"INC-(?:\d{1,18})"))
    return re.compile(rf"(?=(?:{'|'.join(asked)}))(?:.*?)INC-(\d{{1,18}})\b", re.DOTALL)


def _of_command(
    name: str, person: str, word: str, rest: str, reply: Mapping[str, Any], data: Mapping[str, Any]
) -> Asked:
    if word == "id":
        return Asked(KIND, name, person, HELP, None, CHAT_ID.say(number=reply["public"]), reply, data)
    command = parse(f"{word} {rest}")
    return Asked(KIND, name, person, command.action, command.number, command.complaint or command.text, reply, data)


def _id(value: object) -> str:
    found = _mapping(value).get("id")
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

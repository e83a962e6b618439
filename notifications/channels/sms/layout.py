"""The text of an SMS: what happened and how to answer, within a bounded number of segments."""

import re

from notifications.channels.phone.segments import fit, plain
from notifications.channels.phone.wording import Wording, wording
from notifications.channels.port import Message

MOST_SEGMENTS = 3
_URL = re.compile(r"\bhttps?://([^\s/]+)\S*", re.IGNORECASE)


def lay_out(message: Message, *, with_urls: bool = False) -> str:
    """Return the text: severity, reference, title, how to answer. The title is cut, never the code."""
    words = wording(message.language)
    head = _head(message, words)
    tail = [words.again] if message.attempt > 1 and message.kind == "page" else []
    if message.reply_code and message.kind == "page":
        tail.append(words.reply.format(code=message.reply_code))
    if with_urls and (url := message.answer_url or message.url):
        tail.append(url)
    middle = ". ".join(part for part in (message.title, message.body, *message.lines) if part)
    start, end = plain(_joined(head)), plain(". ".join(tail))
    middle = plain(_one_line(middle if with_urls else _URL.sub(r"\1", middle)))
    return _sentences(_joined([start, fit(middle, f"{start} . {end}", MOST_SEGMENTS)]), end)


def _head(message: Message, words: Wording) -> list[str]:
    """Return severity and reference, unless the title begins with them or is about several incidents."""
    if message.count > 1 or (message.reference and message.title.startswith(message.reference)):
        return []
    severity = [f"[{words.severity(message.severity)}]"] if message.severity else []
    return [*severity, message.reference]


def _sentences(first: str, second: str) -> str:
    if not second:
        return first
    return f"{first} {second}" if first.endswith((".", "!", "?", "。")) else f"{first}. {second}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _joined(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)

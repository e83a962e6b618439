"""Messages as plain text. Pure."""

import re

from notifications.channels.chat.words import ELLIPSIS, cut, facts, heading, lines_of
from notifications.channels.port import Message

TITLE, BODY, LINE = 200, 1200, 300
MAX_LINES = 10
KINDS = {"critical": "failure", "high": "failure", "medium": "warning"}
_MENTION = re.compile(r"@(?=(?:everyone|here|channel|all|room)\b)|(?<=<)@", re.IGNORECASE)
OVER = frozenset({"resolved", "closed"})


def layout(message: Message, most: int, *, has_title: bool = True) -> tuple[str, str]:
    """Return title and body, of at most so many bytes. Apprise puts titles into the body where there are none."""
    title = cut(quiet(heading(message) or message.kind), TITLE)
    lines = lines_of(message)[:MAX_LINES]
    parts = (facts(message), cut(message.body.strip(), BODY), *(cut(line, LINE) for line in lines))
    text = quiet("\n".join(part for part in parts if part)) or title
    link = f"\n{message.url}" if message.url else ""
    room = most - len(link.encode()) - (0 if has_title else len(title.encode()) + 10)
    return title, cut_bytes(text, room) + link if room > 0 else cut_bytes(text, most)


def cut_bytes(text: str, most: int) -> str:
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= most:
        return encoded.decode()
    return encoded[: most - len(ELLIPSIS.encode())].decode("utf-8", "ignore").rstrip() + ELLIPSIS


def quiet(text: str) -> str:
    """Break mentions of whole rooms."""
    return _MENTION.sub("@\u200b", text)


def notify_type(message: Message) -> str:
    return "success" if message.status in OVER else KINDS.get(message.severity, "info")

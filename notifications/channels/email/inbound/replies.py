"""Replies without what they quote."""

import re

from mailparser_reply import EmailReplyParser
from mailparser_reply.constants import MAIL_LANGUAGES

WINDOW = 1_500  # characters; the parser takes cubic time
ATTRIBUTION_LINES = 5  # "On Monday, Ana wrote:"
LANGUAGES = [language for language in MAIL_LANGUAGES if len(language) == 2]
BLANKS = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+\n")


def reply_of(text: str) -> str:
    """Return what was written around quotes, or everything."""
    lines = BLANKS.sub("\n\n", text.strip()).split("\n")
    first = next((number for number, line in enumerate(lines) if line.startswith(">")), len(lines))
    head, rest = lines[:first], [line for line in lines[first:] if not line.startswith(">")]
    is_quoting = first < len(lines)
    start = _window_start(head) if is_quoting else 0
    kept = start + _written(head[start:])
    if kept < len(head) - (ATTRIBUTION_LINES if is_quoting else 0):
        rest = []  # a whole mail below, unmarked
    return "\n".join([*head[:kept], *rest]).strip() or text


def _window_start(lines: list[str]) -> int:
    size = 0
    for number in range(len(lines) - 1, -1, -1):
        size += len(lines[number]) + 1
        if size > WINDOW:
            return number + 1
    return 0


def _written(lines: list[str]) -> int:
    """Count the lines before a quoted mail."""
    window = "\n".join(lines)[:WINDOW]
    reply = EmailReplyParser(languages=LANGUAGES).parse_reply(window) or ""
    if len(reply.strip()) >= len("\n".join(line.strip() for line in window.strip().split("\n"))):
        return len(lines)
    return len(reply.strip().split("\n")) if reply.strip() else 0

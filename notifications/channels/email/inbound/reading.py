"""Mails' texts and files; hostile mails lose form only."""

import re
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser

from notifications.channels.email.inbound.headers import (
    LONGEST,
    decoded,
    header,
    headers,
    identity_of,
    printable,
    recipients_of,
    references_of,
    sender_of,
    to_text,
)
from notifications.channels.email.inbound.markup import text_of_html

MAX_TEXT = 90_000  # characters; an incident's texts hold 100,000
MAX_HTML = 1_000_000  # bytes, of all parts
MAX_PARTS = 500
MOST_BOUNDARIES = 100
MOST_COMPARISONS = 10_000_000  # of lines with boundaries
MOST_DELIMITERS = 5_000  # lines that may part a mail
MAX_PARAMETERS = 10_000  # bytes of a header with parameters, which take quadratic time
ATTACHED_MAIL = "message/rfc822"
# of subjects in the languages that mail programs write them in
PREFIXES = re.compile(r"^(?:\s*(?:re|aw|sv|vs|antw|fw|fwd|wg|tr|rv|enc|i)\s*(?:\[\d+\])?\s*:)+\s*", re.IGNORECASE)
BOUNDARIES = re.compile(rb"boundary[\s*\d]*=", re.IGNORECASE)
PARAMETERS = re.compile(rb"(?:^|[\r\n])content-(?:type|disposition):(?:[^\n]*\n[ \t])*[^\n]*", re.IGNORECASE)
REFERENCE = re.compile(r"\bINC-(\d{1,18})\b", re.IGNORECASE)
IN_BRACKETS = re.compile(r"\[INC-\d{1,18}\]\s*", re.IGNORECASE)


@dataclass(frozen=True)
class File:
    name: str
    content: bytes


@dataclass(frozen=True)
class ReceivedMail:
    message: Message
    identity: str
    name: str
    sender: str
    subject: str
    recipients: list[str]
    references: str
    text: str
    files: list[File]
    results: list[str]  # Authentication-Results, topmost first

    @property
    def title(self) -> str:
        """Return the subject without reply marks and reference."""
        return IN_BRACKETS.sub("", PREFIXES.sub("", self.subject)).strip()

    @property
    def named_incident(self) -> int | None:
        found = REFERENCE.search(self.subject)
        return int(found[1]) if found else None


def read_mail(raw: bytes) -> ReceivedMail:
    message = parse(raw)
    name, sender = sender_of(message)
    texts, files = _contents(message)
    return ReceivedMail(
        message=message,
        identity=identity_of(message),
        name=name,
        sender=sender,
        subject=header(message, "Subject"),
        recipients=recipients_of(message),
        references=references_of(message),
        text=texts,
        files=files,
        results=headers(message, "Authentication-Results"),
    )


def parse(raw: bytes) -> Message:
    """Parse a mail; only its headers if taking it apart would cost too much."""
    if _is_modest(raw):
        try:
            return BytesParser(policy=policy.compat32).parsebytes(raw)
        except RecursionError:
            pass
    plain = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
    for name in ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding"):
        del plain[name]
    return plain


def _is_modest(raw: bytes) -> bool:
    boundaries, lines = len(BOUNDARIES.findall(raw)), raw.count(b"\n") + raw.count(b"\r")
    if boundaries > MOST_BOUNDARIES or boundaries * lines > MOST_COMPARISONS:
        return False
    if raw.count(b"\n--") + raw.count(b"\r--") > MOST_DELIMITERS:
        return False
    return all(len(found[0]) <= MAX_PARAMETERS for found in PARAMETERS.finditer(raw))


def _contents(message: Message) -> tuple[str, list[File]]:
    """Return the text, preferably plain, and the files."""
    plain: list[str] = []
    rich: list[str] = []
    files: list[File] = []
    room = MAX_HTML
    inside: set[int] = set()  # parts of an attached mail, which is one file
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            break
        if id(part) in inside or (part.is_multipart() and part.get_content_type() != ATTACHED_MAIL):
            continue
        if part.get_content_type() == ATTACHED_MAIL:
            inside.update(map(id, part.walk()))
            files.append(File(_name_of(part) or "attached.eml", _attached(part)))
        elif _is_file(part):
            files.append(File(_name_of(part) or "attachment", _bytes_of(part)))
        elif part.get_content_subtype() == "html":
            markup = _bytes_of(part)[:room]
            room -= len(markup)
            rich.append(text_of_html(to_text(markup, _charset(part))))
        else:
            plain.append(to_text(_bytes_of(part)[: 4 * MAX_TEXT], _charset(part)))
    text = "\n\n".join(filter(str.strip, plain)) or "\n\n".join(filter(str.strip, rich))
    return printable(text.replace("\r\n", "\n").replace("\r", "\n")).strip()[:MAX_TEXT], files


def _is_file(part: Message) -> bool:
    is_text = part.get_content_maintype() == "text" and part.get_content_subtype() in ("plain", "html")
    disposition = str(part.get("Content-Disposition", "")).strip().lower()
    return not is_text or disposition.startswith("attachment") or bool(_name_of(part))


def _name_of(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):
        name = ""
    return decoded(str(name)[:LONGEST])


def _bytes_of(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        content = None
    if isinstance(content, bytes):
        return content
    text = part.get_payload()
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""


def _attached(part: Message) -> bytes:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if not isinstance(inner, Message):
        return _bytes_of(part)
    try:
        return inner.as_bytes()
    except (ValueError, LookupError, TypeError, RecursionError):
        return str(inner.get_payload()).encode("utf-8", "surrogateescape")


def _charset(part: Message) -> str:
    try:
        return str(part.get_content_charset() or "utf-8")
    except (ValueError, LookupError, TypeError):
        return "utf-8"

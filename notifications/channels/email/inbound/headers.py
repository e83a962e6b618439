"""Headers of foreign mails; reading them never fails."""

import re
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from core.text.names import one_line
from users.addresses import canonical

LONGEST = 10_000  # characters of a header that are read
RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
# no mail is in them; some take quadratic time
NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})


def header(mail: Message, name: str) -> str:
    found = headers(mail, name)
    return found[0] if found else ""


def headers(mail: Message, name: str) -> list[str]:
    """Return these headers, decoded, each in one line."""
    return [one_line(decoded(str(value)[:LONGEST])) for value in mail.get_all(name, [])]


def decoded(value: str) -> str:
    """Decode RFC 2047; leave the undecodable."""
    try:
        pieces = decode_header(value)
        text = "".join(
            piece if isinstance(piece, str) else to_text(piece, charset or "utf-8") for piece, charset in pieces
        )
    except (HeaderParseError, ValueError, LookupError):
        text = value
    return printable(text)


def to_text(content: bytes, charset: str) -> str:
    """Decode by the named charset, else by one that fits."""
    for name in (charset, "utf-8"):
        if name.lower().replace("-", "_") not in NO_CHARSETS:
            try:
                return content.decode(name)
            except (LookupError, ValueError):
                continue
    return content.decode("cp1252", "replace")


def printable(text: str) -> str:
    """Remove what databases refuse: NUL, lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def sender_of(mail: Message) -> tuple[str, str]:
    """Return From's name and address; "" unless it is one."""
    raw = [str(value)[:LONGEST] for value in mail.get_all("From", [])]
    found = addresses(raw)
    if len(raw) != 1 or len(found) != 1:
        return "", ""
    name, address = found[0]
    return one_line(decoded(name))[:200], address


def addresses(values: list[str]) -> list[tuple[str, str]]:
    """Return names and canonical addresses."""
    try:
        pairs = getaddresses([" ".join(value.split()) for value in values])
    except (ValueError, IndexError, TypeError, RecursionError):
        return []
    return [(name, canonical(printable(address))) for name, address in pairs if is_address(address)]


def is_address(text: str) -> bool:
    return len(text) <= 320 and re.fullmatch(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+", text) is not None


def recipients_of(mail: Message) -> list[str]:
    return [
        address
        for name in RECIPIENT_HEADERS
        for _, address in addresses([str(value)[:LONGEST] for value in mail.get_all(name, [])])
    ]


def references_of(mail: Message) -> str:
    """Return the Message-IDs answered, nearest first."""
    answered = " ".join(headers(mail, "In-Reply-To"))
    return f"{answered} {' '.join(reversed(' '.join(headers(mail, 'References')).split()))}"


def identity_of(mail: Message) -> str:
    return header(mail, "Message-ID").strip("<> ")[:300]

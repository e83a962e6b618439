"""Signed tokens in Message-IDs and plus-addresses, to recognise replies and bounces.

`incident-delivery-signature`, in lower case because servers may fold it. The signature covers the recipient.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from itertools import islice

from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "notifications.email.token"
BOUNCES = "b-"
PATTERN = r"(?P<incident>\d{1,18})-(?P<delivery>[a-z2-7]{12})-(?P<signature>[a-z2-7]{16})"
LOCAL = re.compile(rf"(?P<bounces>{BOUNCES})?{PATTERN}")
MESSAGE_ID = re.compile(rf"<{PATTERN}@", re.IGNORECASE)
ROOT = re.compile(r"<incident-(?P<incident>\d{1,18})\.thread@", re.IGNORECASE)


@dataclass(frozen=True)
class Token:
    """`incident` is None for mails about none or several."""

    incident: int | None
    delivery: str
    signature: str
    is_bounce: bool = False

    def __str__(self) -> str:
        return f"{self.incident or 0}-{self.delivery}-{self.signature}"

    def is_for(self, address: str) -> bool:
        return constant_time_compare(self.signature, _sign(self.incident, self.delivery, address))


def make_token(*, key: str, incident: int | None, address: str) -> Token:
    """Return the same token at each attempt."""
    delivery = _short(hashlib.sha256(key.encode()).digest(), 12)
    return Token(incident, delivery, _sign(incident, delivery, address))


def plus_address(inbound: str, detail: str) -> str:
    """Return `incidents+detail@example.org`."""
    local, _, domain = inbound.rpartition("@")
    return f"{local}+{detail}@{domain}"


def token_in_address(address: str) -> Token | None:
    """Return a plus-address's token, unchecked."""
    _, _, detail = address.lower().rpartition("@")[0].partition("+")
    found = LOCAL.fullmatch(detail)
    return _token_of(found, is_bounce=bool(found["bounces"])) if found else None


def tokens_in_references(text: str, most: int = 100) -> list[Token]:
    """Return the first tokens of our Message-IDs, unchecked."""
    return [_token_of(found) for found in islice(MESSAGE_ID.finditer(text), most)]


def incidents_in_references(text: str) -> list[int]:
    return [int(found["incident"]) for found in ROOT.finditer(text)]


def root_of(incident: int, domain: str) -> str:
    """Return what all mails about an incident refer to."""
    return f"<incident-{incident}.thread@{domain}>"


def _token_of(found: "re.Match[str]", *, is_bounce: bool = False) -> Token:
    return Token(
        int(found["incident"]) or None, found["delivery"].lower(), found["signature"].lower(), is_bounce=is_bounce
    )


def _sign(incident: int | None, delivery: str, address: str) -> str:
    digest = salted_hmac(SALT, f"{incident or 0}|{delivery}|{address}", algorithm="sha256").digest()
    return _short(digest, 16)


def _short(digest: bytes, length: int) -> str:
    return base64.b32encode(digest).decode("ascii").lower()[:length]

"""Answer tokens and reply codes: derived, so that repeats carry the same; stored hashed."""

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from core.db import rows
from core.db.clock import database_now
from notifications.models import AnswerToken
from notifications.vocabulary import Purpose

LIFETIME = dt.timedelta(hours=24)
SALT = "notifications.answers"
ALPHABET = "0123456789"  # what is typed quickest on a phone; codes are a person's own
CODE_LENGTHS = (4, 4, 4, 6, 8)  # the first that stands for nothing else


@dataclass(frozen=True)
class Answering:
    """Who may answer what by a message."""

    user_id: int
    incident_id: int
    delivery_id: int


@dataclass(frozen=True)
class Pair:
    """What a message carries to be answered by."""

    token: str
    code: str


def new_answer_token(user_id: int, incident_id: int, delivery_id: int) -> str:
    """Return a token for a link; it answers once, within 24 hours."""
    return new_pairs([Answering(user_id, incident_id, delivery_id)])[delivery_id].token


def new_reply_code(user_id: int, incident_id: int, delivery_id: int) -> str:
    """Return a short code that this person can reply with."""
    return new_pairs([Answering(user_id, incident_id, delivery_id)])[delivery_id].code


def new_pairs(wanted: Sequence[Answering], now: dt.datetime | None = None) -> dict[int, Pair]:
    """Return token and code of each delivery."""
    expires_at = (now or database_now()) + LIFETIME
    tokens = {one.delivery_id: _derive(f"link:{one.delivery_id}") for one in wanted}
    candidates = {one: [_code_of(one.delivery_id, number) for number in range(len(CODE_LENGTHS))] for one in wanted}
    digests = [_code_digest(one.user_id, code) for one, codes in candidates.items() for code in codes]
    digests += [_digest(token) for token in tokens.values()]
    known = {row.digest: row.delivery_id for row in rows.select_in(AnswerToken, "digest", digests)}
    codes = _choose_codes(candidates, known)
    made = [
        AnswerToken(
            digest=digest,
            purpose=purpose,
            user_id=one.user_id,
            incident_id=one.incident_id,
            delivery_id=one.delivery_id,
            expires_at=expires_at,
        )
        for one in wanted
        for purpose, digest in (
            (Purpose.LINK, _digest(tokens[one.delivery_id])),
            (Purpose.REPLY, _code_digest(one.user_id, codes[one.delivery_id])),
        )
    ]
    rows.insert(*(row for row in made if row.digest not in known))
    return {one.delivery_id: Pair(tokens[one.delivery_id], codes[one.delivery_id]) for one in wanted}


def find_answer_token(text: str, now: dt.datetime | None = None) -> AnswerToken | None:
    """Return the token of a link, used ones too; None if unknown or expired."""
    return _find(_digest(text.strip()), now)


def find_reply_code(user_id: int, text: str, now: dt.datetime | None = None) -> AnswerToken | None:
    """Return what a person's reply code stands for; None if unknown or expired."""
    return _find(_code_digest(user_id, text.strip().upper()), now)


def use(token: AnswerToken, now: dt.datetime) -> bool:
    """Use a token up; False if it was used before."""
    unused = AnswerToken.objects.filter(pk=token.pk, used_at__isnull=True)
    return bool(unused.update(used_at=now))


def _find(digest: str, now: dt.datetime | None) -> AnswerToken | None:
    found = AnswerToken.objects.select_related("user", "incident", "delivery").filter(digest=digest)
    return found.filter(expires_at__gt=now or database_now()).first()


def _choose_codes(candidates: Mapping[Answering, Sequence[str]], known: Mapping[str, int | None]) -> dict[int, str]:
    """Return codes that stand for nothing else of the same person; a delivery keeps its own."""
    taken = dict(known)
    chosen: dict[int, str] = {}
    for one, codes in candidates.items():
        for code in codes:
            digest = _code_digest(one.user_id, code)
            if taken.setdefault(digest, one.delivery_id) == one.delivery_id:
                chosen[one.delivery_id] = code
                break
    return chosen


def _derive(text: str) -> str:
    return base64.urlsafe_b64encode(salted_hmac(SALT, text, algorithm="sha256").digest()).decode().rstrip("=")


def _code_of(delivery_id: int, number: int) -> str:
    value = int.from_bytes(salted_hmac(SALT, f"reply:{delivery_id}:{number}", algorithm="sha256").digest()[:8], "big")
    letters = []
    for _ in range(CODE_LENGTHS[number]):
        value, letter = divmod(value, len(ALPHABET))
        letters.append(ALPHABET[letter])
    return "".join(letters)


def _code_digest(user_id: int, code: str) -> str:
    return _digest(f"{user_id}:{code}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""What browsers and keys sign (WebAuthn), read and verified by fido2; no database."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

LONGEST = 16_384  # characters of a response


class KeyRefused(Exception):
    """The response is not the key's answer to what was asked."""


@dataclass(frozen=True)
class Credential:
    """A new key: its stored form, its id's key, and the counter of its signatures."""

    credential: str
    key: str
    counter: int


@dataclass(frozen=True)
class Assertion:
    """A verified signature; `is_verified`: the key asked for a finger, face or PIN."""

    key: str
    counter: int
    is_verified: bool


def begin_adding(
    origin: str, *, handle: bytes, account: str, name: str, known: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the browser is to be asked, and what is to be kept until it answers."""
    options, state = _server(origin).register_begin(
        PublicKeyCredentialUserEntity(id=handle, name=account, display_name=name),
        credentials=[_attested(one) for one in known],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return _plain(options), state


def finish_adding(origin: str, state: dict[str, Any], text: str) -> Credential:
    """Return the new key. Raises KeyRefused."""
    try:
        data = _server(origin).register_complete(state, _parsed(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyRefused from error
    if data.credential_data is None:
        raise KeyRefused
    return Credential(websafe_encode(data.credential_data), key_of(data.credential_data.credential_id), data.counter)


def begin_asking(
    origin: str, *, known: Sequence[str] | None, must_verify: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the browser is to be asked (of `known` keys, or any passkey), and what is to be kept."""
    needed = UserVerificationRequirement.REQUIRED if must_verify else UserVerificationRequirement.PREFERRED
    attested = None if known is None else [_attested(one) for one in known]
    options, state = _server(origin).authenticate_begin(attested, user_verification=needed)
    return _plain(options), state


def finish_asking(origin: str, state: dict[str, Any], text: str, credential: str) -> Assertion:
    """Return the signature of this key. Raises KeyRefused."""
    parsed = _parsed(text)
    try:
        found = _server(origin).authenticate_complete(state, [_attested(credential)], parsed)
        data = AuthenticationResponse.from_dict(parsed).response.authenticator_data
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyRefused from error
    return Assertion(key_of(found.credential_id), data.counter, data.is_user_verified())


def claimed_key(text: str) -> tuple[str, bytes | None]:
    """Return which key a response names, and for whom. Raises KeyRefused."""
    try:
        response = AuthenticationResponse.from_dict(_parsed(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyRefused from error
    return key_of(response.raw_id), response.response.user_handle


def key_of(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()


def _server(origin: str) -> Fido2Server:
    host = urlsplit(origin).hostname or ""
    # by default, every subdomain could ask for the host's keys
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=host, name="Incident Response"), verify_origin=lambda found: found == origin
    )


def _attested(credential: str) -> AttestedCredentialData:
    return AttestedCredentialData(websafe_decode(credential))


def _plain(options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(dict(options), default=dict))
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text[: LONGEST + 1]) if len(text) <= LONGEST else None
    except (ValueError, RecursionError) as error:
        raise KeyRefused from error
    if not isinstance(parsed, dict):
        raise KeyRefused
    return parsed

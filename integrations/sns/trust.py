"""Verify Amazon SNS messages, calling only hosts that Amazon names.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import datetime as dt
import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from alerts.reading.values import moment, text
from core.outbound.client import Client, OutboundError
from intake.requests import IntakeError

_HOST = r"https://sns\.[a-z]{2}(?:-[a-z]{2,12}){1,2}-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?"
CERTIFICATE = re.compile(_HOST + r"/SimpleNotificationService-[A-Za-z0-9]+\.pem", re.ASCII)
CONFIRMATION = re.compile(rf"({_HOST})/\?([A-Za-z0-9&=:%._~+-]+)", re.ASCII)

# SNS retries for an hour; a quarter is for clocks
AHEAD = dt.timedelta(minutes=15)
OLDEST = dt.timedelta(hours=1) + AHEAD

_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_OF_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_TYPES = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")
_HASHES = {"1": SHA1, "2": SHA256}

_client = Client(step_seconds=5.0, total_seconds=10.0, max_bytes=64 * 1024, attempts=1)  # a sender waits


def fetch(url: str) -> bytes:
    """Return an address's content. Raises IntakeError (503)."""
    try:
        answer = _client.request("GET", url)
    except OutboundError as error:
        raise _unreachable(str(error)) from error
    if answer.status != 200:
        raise _unreachable(f"it answered {answer.status}")
    return answer.content


def check(message: dict[str, Any], now: dt.datetime) -> None:
    """Raise IntakeError: 403 unless SNS signed it lately, 503 without its certificate."""
    _check_time(message, now)
    hashing = _HASHES.get(text(message.get("SignatureVersion")))
    if hashing is None:
        raise _refused("The SignatureVersion must be 1 or 2; raw message delivery, which is not signed, must be off.")
    url = message.get("SigningCertURL")
    if not isinstance(url, str) or not CERTIFICATE.fullmatch(url):
        raise _refused("The SigningCertURL does not point to a certificate of Amazon SNS.")
    key = _key(_certificate(url), now)
    try:
        key.verify(_signature(message), canonical(message), padding.PKCS1v15(), hashing())
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise _refused("The signature does not match the message.") from error


def canonical(message: dict[str, Any]) -> bytes:
    """Return what is signed: names and values by line, in order."""
    names = _SIGNED if message.get("Type") == "Notification" else _SIGNED_OF_CONFIRMATION
    said = {name: message.get(name) for name in names if message.get(name) is not None}
    if not all(isinstance(value, str) for value in said.values()):
        raise _refused("Every field that SNS signs must be text.")
    # Otherwise the text of one topic's message could be read as the fields of another's, under the same signature.
    if message.get("Type") not in _TYPES or any(
        "\n" in str(value) for name, value in said.items() if name != "Message"
    ):
        raise _refused("This is not in the format of an SNS message.")
    return "".join(f"{name}\n{value}\n" for name, value in said.items()).encode()


def confirm(message: dict[str, Any]) -> None:
    """Confirm a subscription at a rebuilt address. Raises IntakeError (403)."""
    match = CONFIRMATION.fullmatch(text(message.get("SubscribeURL")))
    query = {
        "Action": "ConfirmSubscription",
        "TopicArn": text(message.get("TopicArn")),
        "Token": text(message.get("Token")),
    }
    if match is None or parse_qs(match[2]) != {name: [value] for name, value in query.items()}:
        raise _refused("The SubscribeURL does not confirm this topic with Amazon SNS.")
    fetch(f"{match[1]}/?{urlencode(query)}")


@lru_cache(maxsize=32)
def _certificate(url: str) -> x509.Certificate:
    # a new certificate gets a new address
    try:
        return x509.load_pem_x509_certificate(fetch(url))
    except ValueError as error:
        raise _refused("The SigningCertURL does not return a certificate.") from error


def _key(certificate: x509.Certificate, now: dt.datetime) -> rsa.RSAPublicKey:
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise _refused("The signing certificate is expired or not yet valid.")
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise _refused("The certificate's key type is not one that SNS uses.")
    return key


def _signature(message: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(text(message.get("Signature")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused("The Signature is not base64.") from error


def _check_time(message: dict[str, Any], now: dt.datetime) -> None:
    published = moment(message.get("Timestamp"))
    if published is None:
        raise _refused("The Timestamp is missing or unreadable.")
    if not now - OLDEST <= published <= now + AHEAD:
        raise _refused("The Timestamp is more than an hour old, or ahead of our clock.")


def _refused(message: str) -> IntakeError:
    return IntakeError(message, status=403)


def _unreachable(reason: str) -> IntakeError:
    return IntakeError(f"Amazon SNS could not be reached: {reason}.", status=503)

"""What is said to a provider and back (OpenID Connect Core 1.0); nothing it says is believed unchecked."""

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import jwt
import structlog
from cachetools import TTLCache
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.outbound.client import Client, OutboundError
from users.oidc.providers import Provider, is_safe

log = structlog.get_logger(__name__)

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
LEEWAY_SECONDS = 30
KEPT_SECONDS = 600
REFRESH_SECONDS = 60  # least time between looks for a key that was unknown
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")

_client = Client(is_trusted=True, max_bytes=512 * 1024, attempts=2)
_metadata: TTLCache[str, dict[str, Any]] = TTLCache(maxsize=32, ttl=KEPT_SECONDS)
_keys: TTLCache[str, tuple[float, dict[str, Any]]] = TTLCache(maxsize=32, ttl=KEPT_SECONDS)
_lock = threading.Lock()


class ProviderFailed(DomainError):
    """The log says why."""

    status = 502
    code = "provider_failed"
    title = "Sign-in failed"

    def __init__(self, provider: Provider, reason: str) -> None:
        log.warning("oidc_failed", provider=provider.name, reason=reason)
        super().__init__(_("%(name)s did not answer as expected. Try again later.") % {"name": provider.title})


class IdentityRefused(DomainError):
    status = 401
    code = "identity_refused"
    title = "Sign-in failed"

    def __init__(self, provider: Provider, reason: str) -> None:
        log.warning("oidc_refused", provider=provider.name, reason=reason)
        super().__init__(_("The answer of %(name)s was not accepted. Try again.") % {"name": provider.title})


@dataclass(frozen=True)
class Asked:
    """What was asked of a provider, to hold its answer against."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True)
class Identity:
    """Whom a provider names; `email` only if it says that it verified it."""

    subject: str
    email: str
    name: str


def ask(provider: Provider, redirect_uri: str) -> tuple[str, Asked]:
    """Return where to send the browser, and what to keep. Raises ProviderFailed."""
    asked = Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect_uri)
    challenge = hashlib.sha256(asked.verifier.encode()).digest()
    values = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.scopes,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    address = str(metadata_of(provider)["authorization_endpoint"])
    return f"{address}{'&' if '?' in address else '?'}{urlencode(values)}", asked


def identify(provider: Provider, asked: Asked, code: str) -> Identity:
    """Exchange a code for whom it names. Raises ProviderFailed, IdentityRefused."""
    answer = _exchange(provider, asked, code)
    claims = _verified(provider, str(answer.get("id_token") or ""), asked.nonce)
    if not claims.get("email"):
        claims = {**_user_info(provider, claims, str(answer.get("access_token") or "")), **claims}
    said = claims.get("email_verified")
    is_verified = said is True or said == "true" or provider.trusts_email  # Cognito says it in a text
    return Identity(
        str(claims["sub"]),
        str(claims.get("email") or "") if is_verified else "",
        str(claims.get("name") or claims.get("preferred_username") or ""),
    )


def metadata_of(provider: Provider) -> dict[str, Any]:
    """Return what the provider publishes about itself. Raises ProviderFailed."""
    with _lock:
        known: dict[str, Any] | None = _metadata.get(provider.issuer)
    if known is not None:
        return known
    found = _fetch(provider, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise ProviderFailed(provider, f"its issuer is {found.get('issuer')!r}")
    if not all(is_safe(str(found.get(name, ""))) for name in ENDPOINTS):
        raise ProviderFailed(provider, "an endpoint is missing or not https")
    with _lock:
        _metadata[provider.issuer] = found
    return found


def forget() -> None:
    """Forget what providers published; for tests."""
    with _lock:
        _metadata.clear()
        _keys.clear()


def _exchange(provider: Provider, asked: Asked, code: str) -> dict[str, Any]:
    metadata = metadata_of(provider)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.redirect_uri,
        "code_verifier": asked.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if "client_secret_basic" in methods:
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    try:
        answer = _client.request(
            "POST", str(metadata["token_endpoint"]), headers=headers, content=urlencode(form).encode()
        )
    except OutboundError as error:
        raise ProviderFailed(provider, str(error)) from error
    if answer.status in (400, 401):
        raise IdentityRefused(provider, f"the code was refused: {answer.content[:200]!r}")
    if answer.status != 200:
        raise ProviderFailed(provider, f"status {answer.status} for the code")
    return _object(provider, answer.content)


def _verified(provider: Provider, token: str, nonce: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in ALGORITHMS:
            raise IdentityRefused(provider, f"signed by {algorithm}")
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(provider, header.get("kid"), algorithm),
            algorithms=[algorithm],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "aud", "iss", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise IdentityRefused(provider, repr(error)) from error
    if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise IdentityRefused(provider, "another nonce")
    is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if is_shared else provider.client_id) != provider.client_id:
        raise IdentityRefused(provider, "made for another client")
    return claims


def _key(provider: Provider, kid: Any, algorithm: str) -> Any:
    for is_fresh in (False, True):
        keys = [key for key in _keys_of(provider, is_fresh=is_fresh) if kid is None or key.get("kid") == kid]
        usable = [key for key in keys if key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm]
        if len(usable) == 1:
            return jwt.PyJWK.from_dict(usable[0], algorithm=algorithm).key
    raise IdentityRefused(provider, "signed by an unknown key")


def _keys_of(provider: Provider, *, is_fresh: bool) -> list[dict[str, Any]]:
    with _lock:
        read_at, known = _keys.get(provider.issuer, (0.0, {}))
    if not known or (is_fresh and time.monotonic() - read_at > REFRESH_SECONDS):
        known = _fetch(provider, str(metadata_of(provider)["jwks_uri"]))
        with _lock:
            _keys[provider.issuer] = (time.monotonic(), known)
    keys = known.get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _user_info(provider: Provider, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
    address = str(metadata_of(provider).get("userinfo_endpoint") or "")
    if not is_safe(address) or not access_token:
        return {}
    found = _fetch(provider, address, {"Authorization": f"Bearer {access_token}"})
    if found.get("sub") != claims["sub"]:
        raise IdentityRefused(provider, "its user information names somebody else")
    return found


def _fetch(provider: Provider, address: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    try:
        answer = _client.request("GET", address, headers={"Accept": "application/json", **(headers or {})})
    except OutboundError as error:
        raise ProviderFailed(provider, str(error)) from error
    if answer.status != 200:
        raise ProviderFailed(provider, f"status {answer.status}")
    return _object(provider, answer.content)


def _object(provider: Provider, content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ProviderFailed(provider, "no JSON") from error
    if not isinstance(found, dict):
        raise ProviderFailed(provider, "no JSON object")
    return found

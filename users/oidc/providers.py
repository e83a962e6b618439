"""The providers that an operator sets; no Django."""

import ipaddress
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

NAME = re.compile(r"[a-z0-9-]{1,32}")
REQUIRED = ("name", "issuer", "client_id", "client_secret")
EXAMPLE = (
    '[{"name": "keycloak", "label": "Company account", "issuer": "https://…", "client_id": "…", "client_secret": "…"}]'
)


@dataclass(frozen=True)
class Provider:
    """An identity provider; `trusts_email`: all its addresses count as verified."""

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = ""
    scopes: str = "openid email profile"
    trusts_email: bool = False

    @property
    def title(self) -> str:
        return self.label or self.name.replace("-", " ").title()


def parse_providers(text: str) -> dict[str, Provider]:
    """Return providers by name, from a JSON list. Raises ValueError."""
    if not text.strip():
        return {}
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ValueError(f"JSON such as {EXAMPLE}") from error
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ValueError(f"a list such as {EXAMPLE}")
    providers = [_provider(one) for one in given]
    found = {one.name: one for one in providers}
    if len(found) != len(providers):
        raise ValueError("another name for each provider")
    return found


def _provider(given: dict[str, Any]) -> Provider:
    unknown = sorted(set(given) - set(Provider.__dataclass_fields__))
    missing = [name for name in REQUIRED if not given.get(name)]
    if unknown or missing:
        raise ValueError(
            f"each provider with {', '.join(REQUIRED)}, and nothing unknown: {', '.join(unknown + missing)}"
        )
    texts = {name: value for name, value in given.items() if name != "trusts_email"}
    if (
        not all(isinstance(value, str) for value in texts.values())
        or type(given.get("trusts_email", False)) is not bool
    ):
        raise ValueError("texts, and true or false for trusts_email")
    if not NAME.fullmatch(given["name"]):
        raise ValueError("names of small letters, digits and hyphens")
    if not is_safe(given["issuer"]):
        raise ValueError("issuers that begin with https:// (http:// on this machine only)")
    return Provider(**given)


def is_safe(url: str) -> bool:
    """Return whether it is https, or leads to this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return True
    return parts.scheme == "http" and _is_here(parts.hostname or "")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

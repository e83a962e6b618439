"""Read settings strictly from the environment and `.env`: errors stop the program."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from io import StringIO
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from dotenv.parser import parse_stream

from notifications.pacing import Limit, parse_limits
from users.oidc.providers import Provider, parse_providers

T = TypeVar("T")

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
MAIL_PORTS = {"smtps": 465, "smtp+ssl": 465, "smtp+tls": 587}
INBOUND = re.compile(r"[A-Za-z0-9._-]{1,20}@[A-Za-z0-9.-]{1,190}")
IMAP_PORTS = {"imaps": 993, "imap+tls": 143, "imap": 143}
FALSE_WORDS = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True)
class Variable:
    """A setting as operators see it."""

    name: str
    default: str
    help: str


@dataclass(frozen=True)
class Mailbox:
    """A mailbox to poll. `security` is tls, starttls or ""."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str
    security: str


class Environment:
    """Reads typed values; the process environment wins over `.env`."""

    def __init__(self, dotenv: Path) -> None:
        self.variables: dict[str, Variable] = {}
        self.dotenv = dotenv
        self._file_values = _read_dotenv(dotenv)

    def text(self, name: str, *, default: str, help: str, choices: Iterable[str] = ()) -> str:
        allowed = list(choices)

        def parse(value: str) -> str:
            if allowed and value not in allowed:
                raise ValueError(f"one of {', '.join(allowed)}")
            return value

        return self._read(name, default, help, parse)

    def secret(self, name: str, *, help: str) -> str:
        """Return a secret of at least 32 characters."""

        def parse(value: str) -> str:
            if len(value) < 32:
                raise ValueError("a random secret of at least 32 characters (make one with `make secret`)")
            return value

        return self._read(name, "", help, parse)

    def boolean(self, name: str, *, default: bool, help: str) -> bool:
        def parse(value: str) -> bool:
            word = value.strip().lower()
            if word in TRUE_WORDS:
                return True
            if word in FALSE_WORDS:
                return False
            raise ValueError("true or false")

        return self._read(name, str(default).lower(), help, parse)

    def integer(self, name: str, *, default: int, help: str, minimum: int = 0, maximum: int | None = None) -> int:
        upper = f" and at most {maximum}" if maximum is not None else ""

        def parse(value: str) -> int:
            expected = f"a whole number of at least {minimum}{upper}"
            try:
                number = int(value)
            except ValueError as error:
                raise ValueError(expected) from error
            if number < minimum or (maximum is not None and number > maximum):
                raise ValueError(expected)
            return number

        return self._read(name, str(default), help, parse)

    def amount(self, name: str, *, default: str, help: str) -> Decimal | None:
        """Return a decimal number of at least 0, None if empty."""

        def parse(value: str) -> Decimal | None:
            if not value.strip():
                return None
            try:
                number = Decimal(value.strip())
            except InvalidOperation as error:
                raise ValueError("a number of at least 0, such as 2.50") from error
            if not number.is_finite() or number < 0:
                raise ValueError("a number of at least 0, such as 2.50")
            return number

        return self._read(name, default, help, parse)

    def words(self, name: str, *, default: list[str], help: str) -> list[str]:
        """Return a comma-separated list without blanks."""
        return self._read(
            name, ",".join(default), help, lambda value: [word.strip() for word in value.split(",") if word.strip()]
        )

    def limits(self, name: str, *, help: str) -> dict[str, Limit]:
        """Return limits by channel, from sms=60/min,voice=10/min."""
        return self._read(name, "", help, lambda value: parse_limits(value.split(",") if value.strip() else []))

    def identity_providers(self, name: str, *, help: str) -> dict[str, Provider]:
        """Return identity providers by name, from a JSON list."""
        return self._read(name, "", help, parse_providers)

    def networks(self, name: str, *, help: str) -> list[IPv4Network | IPv6Network]:
        """Return a comma-separated list of networks."""

        def parse(value: str) -> list[IPv4Network | IPv6Network]:
            try:
                return [ip_network(word.strip()) for word in value.split(",") if word.strip()]
            except ValueError as error:
                raise ValueError("networks such as 10.20.0.0/16, separated by commas") from error

        return self._read(name, "", help, parse)

    def database(self, name: str, *, default: str, help: str) -> dict[str, Any]:
        """Return `DATABASES`' entry of `sqlite:///path` or `mysql://user:password@host/name`."""

        def parse(value: str) -> dict[str, Any]:
            expected = "sqlite:///path/to/file or mysql://user:password@host:3306/name"
            if not value.startswith(("sqlite:///", "mysql://")):
                raise ValueError(expected)
            config: dict[str, Any] = dict(environ.Env.db_url_config(value))
            if not config.get("NAME"):
                raise ValueError(expected)
            return config

        return self._read(name, default, help, parse)

    def broker(self, name: str, *, is_needed: bool, help: str) -> str:
        """Return the address of RabbitMQ or Redis."""

        def parse(value: str) -> str:
            if is_needed and not value.startswith(("amqp://", "amqps://", "redis://", "rediss://")):
                raise ValueError("amqp://user:password@host:5672/vhost or redis://host:6379/0")
            return value

        return self._read(name, "", help, parse)

    def email_server(self, name: str, *, default: str, help: str) -> dict[str, Any]:
        """Return the `EMAIL_*` settings of an address."""

        def parse(value: str) -> dict[str, Any]:
            scheme = value.split(":", 1)[0]
            if scheme not in environ.Env.EMAIL_SCHEMES:
                raise ValueError(
                    "consolemail://, smtp://user:password@host:25, smtp+tls://user:password@host:587 (STARTTLS) or "
                    "smtps://user:password@host:465"
                )
            # smtps means TLS from the first byte (RFC 8314); django-environ takes it for STARTTLS
            address = value.replace("smtps:", "smtp+ssl:", 1) if scheme == "smtps" else value
            config: dict[str, Any] = dict(environ.Env.email_url_config(address))
            config["EMAIL_PORT"] = config["EMAIL_PORT"] or MAIL_PORTS.get(scheme, 25)
            return config

        return self._read(name, default, help, parse)

    def inbound_address(self, name: str, *, default: str, help: str) -> str:
        """Return an address whose local part leaves room for what is added after a plus."""

        def parse(value: str) -> str:
            if value and not INBOUND.fullmatch(value):
                raise ValueError(
                    "an address such as incidents@example.org: at most 20 characters and no + before the @"
                )
            return value.lower()

        return self._read(name, default, help, parse)

    def imap_mailbox(self, name: str, *, default: str, help: str) -> Mailbox | None:
        """Return the mailbox of `imaps://user:password@host:993/folder`, None if empty."""

        def parse(value: str) -> Mailbox | None:
            if not value:
                return None
            url = urlsplit(value)
            if url.scheme not in IMAP_PORTS or not url.hostname or not url.username:
                raise ValueError("imaps://user:password@host:993/INBOX, imap+tls:// (STARTTLS) or imap://")
            return Mailbox(
                host=url.hostname,
                port=url.port or IMAP_PORTS[url.scheme],
                user=unquote(url.username),
                password=unquote(url.password or ""),
                folder=unquote(url.path.strip("/")) or "INBOX",
                security={"imaps": "tls", "imap+tls": "starttls"}.get(url.scheme, ""),
            )

        return self._read(name, default, help, parse)

    def refuse_unknown_names(self) -> None:
        """Stop when `.env` sets something unread."""
        unknown = sorted(set(self._file_values) - set(self.variables))
        if unknown:
            raise ImproperlyConfigured(
                f"{self.dotenv.name} sets {', '.join(unknown)}, which is no setting of this program. "
                "The settings are listed in docs/operations.md."
            )

    def _read(self, name: str, default: str, help: str, parse: Callable[[str], T]) -> T:
        self.variables[name] = Variable(name, default, help)
        value = os.environ.get(name, self._file_values.get(name, default))
        try:
            return parse(value)
        except ValueError as error:
            shown = "is not set" if not value else "is not valid"
            raise ImproperlyConfigured(f"{name} {shown}: expected {error}.") from error


def _read_dotenv(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    if path.is_file():
        for binding in parse_stream(StringIO(path.read_text(encoding="utf-8-sig"))):
            line, text = binding.original.line, binding.original.string
            if binding.error or (binding.key and (binding.value is None or not binding.key.isidentifier())):
                blank_lines = text[: len(text) - len(text.lstrip())].count("\n")
                raise ImproperlyConfigured(f"{path.name}, line {line + blank_lines}: expected NAME=value.")
            if binding.key:
                values[binding.key] = binding.value or ""
    return values

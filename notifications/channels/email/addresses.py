"""E-mail addresses, typed and on the wire."""

import re
from email.utils import parseaddr

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from core.errors import DomainError
from users.addresses import canonical

ADDRESS = re.compile(r"[^\s<>@:;,\"']{1,64}@[\w.-]{1,255}")
LONGEST = 254  # RFC 5321, 4.5.3.1.3, without its brackets


def validate(text: str) -> str:
    """Return the canonical address. Raises DomainError."""
    address = canonical(text)
    local, _at, domain = address.rpartition("@")
    if domain and not local.isascii():
        raise DomainError(
            _("Only ASCII letters can stand before the @: many mail servers reject other ones."), field="address"
        )
    try:
        validate_email(address)
        wire = wire_form(address)
    except (ValidationError, UnicodeError) as error:
        raise DomainError(_("Enter a valid email address, such as ana@example.org."), field="address") from error
    if len(wire) > LONGEST:
        raise DomainError(
            _("An email address has at most %(longest)s characters.") % {"longest": LONGEST}, field="address"
        )
    return address


def mask(address: str) -> str:
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"


def mask_all(text: str) -> str:
    """Mask each address in a text."""
    return ADDRESS.sub(lambda found: mask(found[0]), text)


def wire_form(address: str) -> str:
    """Return the address with its domain in ASCII (RFC 5890). Raises UnicodeError."""
    local, _at, domain = address.rpartition("@")
    local.encode("ascii")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def bare(mailbox: str) -> str:
    """Return the address of `Incidents <incidents@example.org>`."""
    return parseaddr(mailbox)[1] or mailbox


def domain_of(address: str) -> str:
    return address.rpartition("@")[2] or "localhost"

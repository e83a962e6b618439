"""Addresses that people enter, checked before they are stored."""

from collections.abc import Collection
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from core.errors import DomainError
from core.outbound.network import AddressRefused, check_host

LONGEST = 2048


def validate_url(
    text: str, *, field: str = "address", schemes: Collection[str] = ("https", "http"), most: int = LONGEST
) -> str:
    """Return an address without blanks around it. Raises DomainError.

    Names are not resolved: what they lead to is checked at each connection.
    """
    text = text.strip()
    try:
        url = urlsplit(text)
        host, _port = url.hostname, url.port
    except ValueError as error:
        raise DomainError(_("This is not an address."), field=field) from error
    if url.scheme not in schemes or not host or not text.isprintable() or " " in text:
        raise DomainError(
            _("Expected an address such as %(schemes)s://….") % {"schemes": min(schemes, key=len)}, field=field
        )
    if len(text) > most:
        raise DomainError(_("An address may have %(most)s characters.") % {"most": most}, field=field)
    if not host.isascii() or "\\" in text:
        raise DomainError(_("Write the host in ASCII (xn--…), and no backslash."), field=field)
    if "@" in url.netloc or url.fragment:
        raise DomainError(_("Leave out user name, password and what follows #."), field=field)
    try:
        check_host(host)
    except AddressRefused as error:
        raise DomainError(
            _("%(error)s. The operator can allow its network: OUTBOUND_ALLOW.") % {"error": error},
            field=field,
            code="address_refused",
        ) from error
    return text

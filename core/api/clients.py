"""Identify the client of a request."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def client_address(request: HttpRequest) -> str | None:
    """Return the caller's IP address, as far as it can be trusted.

    Only the last entries of `X-Forwarded-For`, appended by our TRUSTED_PROXIES, count.
    """
    hops = [hop for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and hops:
        told = _parse(hops[-min(settings.TRUSTED_PROXIES, len(hops))])
        if told:
            return told
    return _parse(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str | None:
    """Return what the caller is counted under: its IPv4 address, or its IPv6 /64.

    An IPv4 address within an IPv6 address (6to4, NAT64) counts.
    """
    told = client_address(request)
    return told and network_of(told)


def network_of(text: str) -> str:
    """Return a caller's network by its first address; see `client_network`."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address in NAT64:
        return str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour:
        return str(address.sixtofour)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False).network_address)


def network_told(text: str | None) -> str:
    """Return a network for people, with its length where it is more than one address."""
    return f"{text}/64" if text and ":" in text else text or ""


def client_name(request: HttpRequest) -> str:
    """Return the caller's User-Agent, cut."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200]


def _parse(text: str) -> str | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]  # a link-local address's zone means something only on its own machine
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

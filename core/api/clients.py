"""Identify the client of a request."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def client_address(request: HttpRequest) -> str | None:
    """Return the caller's IP address, trusting only TRUSTED_PROXIES' entries of `X-Forwarded-For`."""
    hops = [hop for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and hops:
        address = _parse(hops[-min(settings.TRUSTED_PROXIES, len(hops))])
        if address:
            return address
    return _parse(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str | None:
    """Return the network to count the caller under: IPv4 address or IPv6 /64.

    IPv4 within IPv6 (6to4, NAT64) counts as IPv4.
    """
    address = client_address(request)
    return address and network_of(address)


def network_of(text: str) -> str:
    """Return a network by its first address; see `client_network`."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address in NAT64:
        return str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour:
        return str(address.sixtofour)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False).network_address)


def network_label(text: str | None) -> str:
    """Return a network for people."""
    return f"{text}/64" if text and ":" in text else text or ""


def client_name(request: HttpRequest) -> str:
    """Return the User-Agent, cut."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200]


def _parse(text: str) -> str | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]  # zones mean nothing elsewhere
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

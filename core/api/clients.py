"""Who is at the other end of a request."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def client_address(request: HttpRequest) -> str | None:
    """The caller's IP address, as far as it can be believed.

    `X-Forwarded-For` is what anybody says, except for its last entries: each of our TRUSTED_PROXIES appended the
    address it was called from. Without proxies the header means nothing.
    """
    hops = [hop for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and hops:
        told = _parse(hops[-min(settings.TRUSTED_PROXIES, len(hops))])
        if told:
            return told
    return _parse(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str | None:
    """What the caller is counted under: its address, and of an IPv6 address the first 64 bits.

    Whoever has one IPv6 address has 2⁶⁴ of them. Where the address holds an IPv4 address (6to4, NAT64), that counts.
    """
    told = client_address(request)
    return told and network_of(told)


def network_of(text: str) -> str:
    """The network that one caller has, by its first address; see `client_network`."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address in NAT64:
        return str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour:
        return str(address.sixtofour)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False).network_address)


def network_told(text: str | None) -> str:
    """What `network_of` gave, as people read it: with its length where it stands for a whole network."""
    return f"{text}/64" if text and ":" in text else text or ""


def client_name(request: HttpRequest) -> str:
    """What the caller's software calls itself, cut to what we keep."""
    return str(request.META.get("HTTP_USER_AGENT", ""))[:200]


def _parse(text: str) -> str | None:
    """An address without its port or brackets; nothing for what is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]  # the zone of a link-local address, which only the own machine knows
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

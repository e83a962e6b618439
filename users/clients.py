"""Who is at the other end of a request."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


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
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)

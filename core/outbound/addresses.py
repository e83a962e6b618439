"""Tell public addresses from all others."""

from ipaddress import IPv4Address, ip_address, ip_network

# IANA's special-purpose registry for IPv4, multicast, and Azure's host.
_REFUSED_V4 = tuple(
    ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# Global unicast, except protocol assignments (Teredo), documentation and 6to4;
# other embeddings of IPv4 (mapped, NAT64) lie outside.
_PUBLIC_V6 = ip_network("2000::/3")
_REFUSED_V6 = tuple(ip_network(block) for block in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def is_public(address: str) -> bool:
    """Return whether it is a host on the public internet."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return not any(parsed in block for block in _REFUSED_V4)
    return parsed in _PUBLIC_V6 and not any(parsed in block for block in _REFUSED_V6)

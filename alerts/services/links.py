"""Links that senders give."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit


def safe_links(links: Iterable[Any]) -> list[tuple[str, str]]:
    """Return (address, text) of web links only."""
    found = []
    for link in links:
        href = str(link.get("href", "")) if isinstance(link, Mapping) else ""
        if _is_web(href):
            found.append((href, str(link.get("text") or href)[:100]))
    return found


def _is_web(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.netloc)

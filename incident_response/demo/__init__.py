"""The demo: three weeks of a small company's incidents."""

PASSWORD = "four-green-lamps"  # noqa: S105 (documented: the demo is for looking around on one's own machine)
DOMAIN = "demo.example"


def address_of(key: str) -> str:
    """Return a demo person's email address."""
    return f"{key}@{DOMAIN}"

"""The demo: a small company and three weeks of its incidents, for an empty installation."""

PASSWORD = "four-green-lamps"  # noqa: S105 (documented: the demo is for looking around on one's own machine)
DOMAIN = "demo.example"


def address_of(key: str) -> str:
    """Return the e-mail address of a person of the demo."""
    return f"{key}@{DOMAIN}"

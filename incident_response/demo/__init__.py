"""The demo: a small company and three weeks of its incidents, loaded into an empty installation.

`organisation.toml`, `incidents.toml` and `alerts.toml` hold the content, `pictures` draws what is attached, `loading`
and `alerting` bring it in through the services, as if it had happened.
"""

PASSWORD = "four-green-lamps"  # noqa: S105 (documented: the demo is for looking around on one's own machine)
DOMAIN = "demo.example"


def address_of(key: str) -> str:
    """The e-mail address of a person of the demo."""
    return f"{key}@{DOMAIN}"

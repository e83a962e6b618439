"""PagerDuty's own Python client. It insists on HTTPS."""

from e2e.environments import Environment
from e2e.server import Server
from e2e.tls import TlsFront

TITLE = "PagerDuty's Python client"
INCIDENT = "Disk of db-1 is full"
CHANGE = "Build 7 is out"


def run(server: Server) -> str:
    """Trigger, twice; acknowledge; resolve; a change."""
    environment = Environment("pagerduty", "pagerduty")
    key = server.new_source("pagerduty")
    with TlsFront(server) as front:

        def send(action: str, dedup_key: str = "", title: str = INCIDENT) -> str:
            arguments = (front.address, key, action, dedup_key, title)
            return environment.run("pagerduty", *arguments, environment=front.trust)

        dedup_key = send("trigger")
        incident = server.incident(INCIDENT)
        again = send("trigger", dedup_key)
        send("acknowledge", dedup_key)
        server.incident(INCIDENT, "acknowledged")
        send("resolve", dedup_key)
        server.incident(INCIDENT, "resolved")
        send("change", title=CHANGE)
    changes = [change["summary"] for change in server.get("changes/")["results"]]

    assert len(dedup_key) == 32, f"a trigger without a key was answered {dedup_key!r}"
    assert again == dedup_key, f"{again!r} is not {dedup_key!r}"
    assert incident["severity"] == "critical", incident
    assert CHANGE in changes, changes
    return f"{environment.version('pagerduty')}; trigger, repeat, acknowledge, resolve and a change"

"""Opsgenie's own Python SDK."""

from e2e.environments import Environment
from e2e.server import Server

TITLE = "Opsgenie's Python SDK"
INCIDENT = "Disk of db-3 is full"
ALIAS = "db-3/disk Zürich"


def run(server: Server) -> str:
    """Create, twice; look; acknowledge; note; close; ping."""
    environment = Environment("opsgenie", "opsgenie-sdk")
    key = server.new_source("opsgenie")

    def ask(action: str, alias: str = ALIAS) -> list[str]:
        return environment.run("opsgenie", server.address, key, action, alias, INCIDENT).splitlines()

    [request] = ask("create")
    incident = server.incident(INCIDENT)
    is_done, action, alert_id, alias = ask("status", request)
    ask("create")
    opened, listed = ask("get", alert_id), ask("list")
    ask("acknowledge")
    server.incident(INCIDENT, "acknowledged")
    ask("note")
    ask("close")
    server.incident(INCIDENT, "resolved")
    said = [(event["message"], event["actor"]) for event in server.timeline(incident)]
    closed, pinged = ask("get", alert_id), ask("ping", "nightly backup")

    assert (is_done, action, alias) == ("True", "Create", ALIAS), (is_done, action, alias)
    assert opened == ["open", "False", "P1", ALIAS, "True"], opened
    assert listed == [ALIAS], listed
    assert closed[0] == "closed", closed
    for note in ("Looks like the logs", "Cleaned up"):
        assert any(note in text and "ann" in str(actor) for text, actor in said if text), (note, said)
    assert pinged == ["False"], pinged
    return f"{environment.version('opsgenie-sdk')}; create, repeat, read, acknowledge, note, close and ping"

"""Prometheus, to which we are its Alertmanager."""

from e2e.monitoring import Disks, incident_of, one_alert, prometheus, repeated
from e2e.server import HOST, Server

TITLE = "Prometheus straight at us"
NAME = "Prometheus"


def run(server: Server) -> str:
    """A disk fills, which is said again and again, and is cleaned."""
    key = server.new_source("prometheus", name=NAME)
    with Disks() as disks, prometheus(server.folder, disks, us(server, key)):
        disks.fill("sdb")
        fired = one_alert(server, NAME, "firing")
        repeated(server, [NAME])
        disks.clean()
        ended = one_alert(server, NAME, "resolved")
    incident = incident_of(server, ended)

    assert fired["labels"]["disk"] == "sdb", fired
    assert fired["expires_at"], "Prometheus says until when an alert fires"
    assert ended["incident"] == fired["incident"], (fired, ended)
    assert (incident["title"], incident["severity"]) == ("Disk sdb is full", "critical"), incident
    assert incident["reopen_count"] == 0, incident
    return "fire, repeat and resolve through /api/v2/alerts"


def us(server: Server, key: str) -> dict[str, object]:
    """The server, as an Alertmanager in the configuration of Prometheus."""
    return {
        "authorization": {"credentials": key},
        "static_configs": [{"targets": [f"{HOST}:{server.port}"]}],
    }

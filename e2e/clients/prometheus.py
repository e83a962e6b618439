"""Prometheus, to which we are its Alertmanager."""

import time
from typing import Any

from e2e.monitoring import Disks, alerts_of, incident_of, one_alert, prometheus, repeated
from e2e.server import HOST, Server, eventually

TITLE = "Prometheus straight at us"
NAMES = ("Prometheus", "Prometheus, outage")
RESEND_SECONDS = 2
OUTAGE_SECONDS = 4 * RESEND_SECONDS + 2  # by then the end is past that Prometheus named for what fires


def run(server: Server) -> str:
    """A disk fills, which is said again and again, and is cleaned; then another, while we are away for long."""
    fired, ended = _fire_and_resolve(server, NAMES[0], "sdb")
    assert fired["labels"]["disk"] == "sdb", fired
    assert fired["expires_at"], "Prometheus says until when an alert fires"
    assert ended["incident"] == fired["incident"], (fired, ended)
    incident = incident_of(server, ended)
    assert (incident["title"], incident["severity"]) == ("Disk sdb is full", "critical"), incident
    assert incident["reopen_count"] == 0, incident
    fired, ended = _fire_and_resolve(server, NAMES[1], "sdc", outage=True)
    assert ended["incident"] == fired["incident"], (fired, ended)
    [incident] = server.incidents("Disk sdc is full")
    assert incident["reopen_count"] == 0, "our outage ended what went on firing"
    return "fire, repeat and resolve through /api/v2/alerts, also over an outage"


def _fire_and_resolve(
    server: Server, name: str, disk: str, *, outage: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    key = server.new_source("prometheus", name=name)
    with Disks() as disks, prometheus(server.folder, disks, us(server, key), resend_seconds=RESEND_SECONDS):
        disks.fill(disk)
        fired = one_alert(server, name, "firing")
        repeated(server, [name])
        if outage:
            server.kill()
            time.sleep(OUTAGE_SECONDS)
            server.start()
            seen = alerts_of(server, name)[0]["occurrences"]
            eventually(lambda: alerts_of(server, name)[0]["occurrences"] > seen, "word after the outage")
            fired = one_alert(server, name, "firing")
        disks.clean()
        return fired, one_alert(server, name, "resolved")


def us(server: Server, key: str) -> dict[str, object]:
    """The server, as an Alertmanager in the configuration of Prometheus."""
    return {
        "authorization": {"credentials": key},
        "static_configs": [{"targets": [f"{HOST}:{server.port}"]}],
    }

"""Alertmanager, fed by Prometheus: its webhook, and its receivers of PagerDuty's and Opsgenie's kind."""

from e2e.monitoring import Alertmanager, Disks, incident_of, one_alert, prometheus, repeated
from e2e.server import Server

TITLE = "Alertmanager's webhook, PagerDuty and Opsgenie receivers"
SEVERITIES = {"alertmanager": "critical", "pagerduty": "high", "opsgenie": "medium"}  # two of them drop the label


def run(server: Server) -> str:
    """A disk fills, which is said again and again, and is cleaned."""
    names = {kind: f"Alertmanager, {kind}" for kind in SEVERITIES}
    keys = {kind: server.new_source(kind, name=name) for kind, name in names.items()}
    manager = Alertmanager(
        server.folder,
        webhook_configs=[{"url": f"{server.address}/intake/{keys['alertmanager']}/"}],
        pagerduty_configs=[{"url": f"{server.address}/v2/enqueue", "routing_key": keys["pagerduty"]}],
        opsgenie_configs=[{"api_url": server.address, "api_key": keys["opsgenie"]}],
    )
    with Disks() as disks, manager, prometheus(server.folder, disks, manager.address):
        disks.fill("sda")
        fired = {kind: one_alert(server, name, "firing") for kind, name in names.items()}
        repeated(server, names.values())
        disks.clean()
        ended = {kind: one_alert(server, name, "resolved") for kind, name in names.items()}

    said = {kind: incident_of(server, alert) for kind, alert in ended.items()}
    assert {kind: one["severity"] for kind, one in said.items()} == SEVERITIES, said
    assert {kind: one["incident"] for kind, one in fired.items()} == {kind: one["id"] for kind, one in said.items()}
    assert fired["alertmanager"]["labels"]["disk"] == "sda", fired["alertmanager"]
    assert said["alertmanager"]["title"] == "Disk sda is full", said["alertmanager"]
    assert all("DiskFull" in said[kind]["title"] for kind in ("pagerduty", "opsgenie")), said
    assert not any(one["reopen_count"] for one in said.values()), said
    return "fire, repeat and resolve by each of the three"

"""The server is killed again and again while Prometheus and Alertmanager tell it of full disks."""

import threading
from collections import Counter
from typing import Any

from e2e.clients.prometheus import us
from e2e.monitoring import Alertmanager, Disks, alerts_of, prometheus
from e2e.server import Server, eventually

TITLE = "kill -9 while Prometheus and Alertmanager send"
DISKS = tuple(f"disk-{number:02}" for number in range(30))
FILL_SECONDS = 0.4  # from one disk to the next
KILLS = 3
CATCH_UP_SECONDS = 120
RESEND_SECONDS = 15  # alerts then name an end four times as far off, which must not come while the server is down
NAMES = {
    "prometheus": "Prometheus, power cut",
    "alertmanager": "Alertmanager, power cut",
    "pagerduty": "Alertmanager as PagerDuty, power cut",
    "opsgenie": "Alertmanager as Opsgenie, power cut",
}


def run(server: Server) -> str:
    """Disks fill one after the other, and are cleaned at once; the server dies in between, and at the end too."""
    keys = {kind: server.new_source(kind, name=name) for kind, name in NAMES.items()}
    manager = Alertmanager(
        server.folder,
        webhook_configs=[{"url": f"{server.address}/intake/{keys['alertmanager']}/"}],
        pagerduty_configs=[{"url": f"{server.address}/v2/enqueue", "routing_key": keys["pagerduty"]}],
        opsgenie_configs=[{"api_url": server.address, "api_key": keys["opsgenie"]}],
    )
    targets = (manager.address, us(server, keys["prometheus"]))
    with (
        Disks() as disks,
        manager,
        prometheus(server.folder, disks, *targets, resend_seconds=RESEND_SECONDS),
        _Filling(disks),
    ):
        for wanted in range(1, KILLS + 1):
            _until_heard(server, wanted)
            server.kill()
            server.start()
        eventually(lambda: _all_are(server, "firing"), "all alerts", seconds=CATCH_UP_SECONDS)
        fired = _incidents(server)
        disks.clean()
        eventually(lambda: _heard(server, "resolved"), "a resolved alert", seconds=CATCH_UP_SECONDS)
        server.kill()
        server.start()
        eventually(lambda: _all_are(server, "resolved"), "the end of all alerts", seconds=CATCH_UP_SECONDS)
        ended = eventually(lambda: _ended(server), "the end of all incidents", seconds=CATCH_UP_SECONDS)

    assert ended == fired, "the incidents that are resolved are not those that were opened"
    server.manage("verify_history")
    return f"{KILLS + 1} kills, {len(DISKS)} disks by {len(NAMES)} ways: nothing lost, {len(ended)} incidents, one each"


class _Filling:
    """Fills a disk now and then while entered, until all are full."""

    def __init__(self, disks: Disks) -> None:
        self._disks, self._stop = disks, threading.Event()
        self._thread = threading.Thread(target=self._run, name="filling", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for disk in DISKS:
            self._disks.fill(disk)
            if self._stop.wait(FILL_SECONDS):
                return


def _until_heard(server: Server, times: int) -> None:
    """Wait until a few more alerts have come than at the last kill, so that others are on their way."""
    eventually(lambda: _heard(server, "firing") >= 4 * times, "alerts that fire", seconds=CATCH_UP_SECONDS)


def _heard(server: Server, status: str) -> int:
    return sum(len(alerts_of(server, name, status)) for name in NAMES.values())


def _all_are(server: Server, status: str) -> bool:
    """Whether each disk has one alert of each source, in this status and with an incident."""
    for name in NAMES.values():
        alerts = alerts_of(server, name)
        assert len(alerts) <= len(DISKS), f"{len(alerts)} alerts of {name}"
        if len(alerts) < len(DISKS) or not all(one["status"] == status and one["incident"] for one in alerts):
            return False
    return True


def _incidents(server: Server) -> Counter[int]:
    """The incidents of all alerts, each with how many alerts it has. Each must have one, and none may be left over."""
    counted = Counter(one["incident"] for name in NAMES.values() for one in alerts_of(server, name))
    assert len(counted) == len(NAMES) * len(DISKS), f"{len(counted)} incidents"
    known = [one["id"] for one in _all_incidents(server) if "disk-" in one["title"]]
    assert sorted(known) == sorted(counted), f"{len(known)} incidents are about these disks, {len(counted)} have alerts"
    return counted


def _ended(server: Server) -> Counter[int] | None:
    counted = _incidents(server)
    statuses = {one["id"]: one["status"] for one in _all_incidents(server)}
    return counted if all(statuses[number] == "resolved" for number in counted) else None


def _all_incidents(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("incidents/", page_size=200)["results"]
    return found

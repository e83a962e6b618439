"""Prometheus and Alertmanager as an operator sets them up, with disks to watch that a test can fill."""

import json
import threading
from collections.abc import Iterable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2

from e2e.processes import Process, debian_program, lay_data
from e2e.server import HOST, Server, eventually, free_port

SUMMARY = "Disk {{ $labels.disk }} is full"
RULE = {
    "alert": "DiskFull",
    "expr": "disk_full == 1",
    "labels": {"severity": "critical"},
    "annotations": {"summary": SUMMARY, "runbook_url": "https://runbooks.example.com/disk-full"},
}
LARGEST_PAGE = 200


class Disks:
    """What Prometheus scrapes while entered: a gauge for each disk that was ever filled, 1 while it is full."""

    def __init__(self) -> None:
        self.full: dict[str, bool] = {}
        disks = self

        class Metrics(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                lines = [f'disk_full{{disk="{disk}"}} {full:d}\n' for disk, full in list(disks.full.items())]
                body = "".join(["# TYPE disk_full gauge\n", *lines]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *values: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Metrics)
        self.address = f"{HOST}:{self._server.server_port}"

    def __enter__(self) -> "Disks":
        threading.Thread(target=self._server.serve_forever, name="disks", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fill(self, *names: str) -> None:
        """From now on these are full."""
        self.full |= dict.fromkeys(names, True)

    def clean(self) -> None:
        """None is full any more."""
        self.full = dict.fromkeys(self.full, False)


def prometheus(folder: Path, disks: Disks, *alertmanagers: dict[str, Any], resend_seconds: int = 2) -> Process:
    """A Prometheus that looks at the disks each second and tells its alertmanagers (as in its configuration)."""
    program = debian_program("prometheus", "prometheus")
    home, port = _home(folder, "prometheus"), free_port()
    rules = _write(home / "rules.json", {"groups": [{"name": "disks", "interval": "1s", "rules": [RULE]}]})
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "disks", "static_configs": [{"targets": [disks.address]}]}],
        "alerting": {"alertmanagers": alertmanagers},
    }
    command = [
        program,
        f"--config.file={_write(home / 'prometheus.json', configuration)}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address={HOST}:{port}",
        f"--rules.alert.resend-delay={resend_seconds}s",
    ]
    return Process(command, home / "log", lambda: _is_ready(port))


class Alertmanager(Process):
    """An Alertmanager whose one receiver has these integrations (as in its configuration); a group for each alert.

    `address` is its own, for Prometheus.
    """

    def __init__(self, folder: Path, **integrations: list[dict[str, Any]]) -> None:
        program = debian_program("prometheus-alertmanager", "prometheus-alertmanager")
        home, port = _home(folder, "alertmanager"), free_port()
        configuration = {
            "route": {
                "receiver": "incidents",
                "group_by": ["..."],
                "group_wait": "1s",
                "group_interval": "1s",
                "repeat_interval": "5s",
            },
            "receivers": [{"name": "incidents", **integrations}],
        }
        command = [
            program,
            f"--config.file={_write(home / 'alertmanager.json', configuration)}",
            f"--storage.path={home / 'data'}",
            f"--web.listen-address={HOST}:{port}",
            "--cluster.listen-address=",
        ]
        super().__init__(command, home / "log", lambda: _is_ready(port))
        self.address = {"static_configs": [{"targets": [f"{HOST}:{port}"]}]}


def alerts_of(server: Server, source: str, status: str = "firing,resolved") -> list[dict[str, Any]]:
    """The latest alerts of the source of that name."""
    page = server.get("alerts/", status=status, page_size=LARGEST_PAGE)
    return [alert for alert in page["results"] if alert["source_name"] == source]


def one_alert(server: Server, source: str, status: str) -> dict[str, Any]:
    """Wait until the one alert of the source has this status and an incident of which that is true; the alert."""
    wanted = {"firing": "open", "resolved": "resolved"}[status]

    def found() -> dict[str, Any] | None:
        alerts = alerts_of(server, source)
        assert len(alerts) < 2, f"{len(alerts)} alerts of {source}"
        settled = [one for one in alerts if one["status"] == status and one["incident"]]
        return next((one for one in settled if incident_of(server, one)["status"] == wanted), None)

    return eventually(found, f"an alert of {source} that is {status}", seconds=40)


def incident_of(server: Server, alert: dict[str, Any]) -> dict[str, Any]:
    """The incident of an alert."""
    incident: dict[str, Any] = server.get(f"incidents/{alert['incident']}/")
    return incident


def repeated(server: Server, sources: Iterable[str]) -> None:
    """Wait until each source's one alert was heard of more than once."""
    for source in sources:
        eventually(partial(_was_repeated, server, source), f"a repeat from {source}", seconds=40)


def _was_repeated(server: Server, source: str) -> bool:
    return bool(alerts_of(server, source)[0]["occurrences"] > 1)


def _home(folder: Path, name: str) -> Path:
    home = folder / f"{name}-{free_port()}"
    home.mkdir()
    lay_data(home)
    return home


def _write(path: Path, content: dict[str, Any]) -> Path:
    """JSON is YAML."""
    path.write_text(json.dumps(content))
    return path


def _is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://{HOST}:{port}/-/ready", timeout=2, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False

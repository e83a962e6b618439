"""The server under test: `manage.py serve` with a scratch database, and what clients ask of it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2

from e2e.databases import Database

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 30
COMMAND_SECONDS = 300
PATIENCE_SECONDS = 20
KEYS = {
    "SECRET_KEY": "e2e-only-0123456789abcdef0123456789abcdef0123456789",
    "HISTORY_KEY": "e2e-only-fedcba9876543210fedcba9876543210fedcba98765",
}
T = TypeVar("T")

# What the shell runs. The arguments are JSON on the last line.
SIGN_IN = """
from users.models import User
from users.services import create_personal_token
admin = User.objects.create_superuser("e2e@example.com", None, name="E2E")
print(create_personal_token(admin, name="e2e", scope="write")[1])
"""
NEW_SOURCE = """
import json, sys
from intake.models import Source
from intake.services.sources import create_key
print(create_key(Source.objects.create(**json.loads({0!r})))[1])
"""


class Server:
    """One server on a free port. Everything it keeps is in a folder that goes with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="e2e-"))
        self.port = free_port()
        self.address = f"http://{HOST}:{self.port}"
        self.log = self.folder / "server.log"
        self.database = Database(self.folder)
        self.environment = {
            **os.environ,
            **KEYS,
            "DATABASE_URL": self.database.url,
            "MEDIA_ROOT": str(self.folder / "media"),
            "STATIC_ROOT": str(self.folder / "static"),
            "DEBUG": "false",
            "PLAIN_HTTP": "true",
            "PUBLIC_URL": self.address,
            "LOG_LEVEL": "WARNING",
            "STORM_INCIDENTS_PER_MINUTE": "0",  # each alert of a client is to have its own
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.token = ""  # a personal token of an administrator

    # --- Its life -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> "Server":
        try:
            self.database.create()
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self.database.drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def prepare(self) -> None:
        """Make tables, static files, and what must be in the tables."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("collectstatic", "--noinput", "--verbosity", "0")
        self.token = self.shell(SIGN_IN)

    def start(self) -> None:
        """Start it, and return when it answers."""
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )
        try:
            eventually(self._is_ready, "the server's first answer", seconds=START_SECONDS)
        except AssertionError as error:
            self.kill()
            raise RuntimeError(f"The server does not answer:\n{self.log.read_text()[-2000:]}") from error

    def stop(self) -> None:
        """Stop it as an operator does, which lets it finish what it has begun."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            kill_family(process)

    def kill(self) -> None:
        """End it and all its processes at once, as a power cut does."""
        process, self._process = self._process, None
        if process is not None:
            kill_family(process)

    def restart(self) -> None:
        """Stop it and start it again, at the same address."""
        self.stop()
        self.start()

    def _is_ready(self) -> bool:
        assert self._process is not None and self._process.poll() is None, "it ended"
        try:
            return httpx2.get(f"{self.address}/livez", timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False

    # --- What is in it ------------------------------------------------------------------------------------------------

    def manage(self, *arguments: str) -> str:
        """What `manage.py …` printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=COMMAND_SECONDS
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def shell(self, code: str) -> str:
        """The last line that the code printed, run in Django's shell."""
        return self.manage("shell", "--no-imports", "-c", code).strip().splitlines()[-1]

    def new_source(self, kind: str, **fields: Any) -> str:
        """Make a source, named after its kind unless told otherwise; its key."""
        values = {"kind": kind, "name": f"{kind} {time.monotonic_ns()}", **fields}
        return self.shell(NEW_SOURCE.format(json.dumps(values)))

    # --- What it says -------------------------------------------------------------------------------------------------

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at a path of the API (below /api/v1/), as an administrator sees it."""
        headers = {"Authorization": f"Token {self.token}"}
        answer = httpx2.get(f"{self.address}/api/v1/{path}", params=query, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **fields: Any) -> Any:
        """What the API answers to fields sent to a path, by an administrator."""
        headers = {"Authorization": f"Token {self.token}"}
        answer = httpx2.post(f"{self.address}/api/v1/{path}", json=fields, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def incidents(self, title: str) -> list[dict[str, Any]]:
        """The latest incidents of exactly this title, newest first."""
        return [incident for incident in self.get("incidents/")["results"] if incident["title"] == title]

    def incident(self, title: str, status: str = "open") -> dict[str, Any]:
        """Wait until the one incident of this title has this status, and return it."""

        def found() -> dict[str, Any] | None:
            several = self.incidents(title)
            assert len(several) < 2, f"{len(several)} incidents are called {title!r}"
            return next((incident for incident in several if incident["status"] == status), None)

        return eventually(found, f"an incident {title!r} that is {status}", but=lambda: self.incidents(title))

    def timeline(self, incident: dict[str, Any]) -> list[dict[str, Any]]:
        """What is on an incident's timeline."""
        events: list[dict[str, Any]] = self.get(f"incidents/{incident['id']}/timeline/")["results"]
        return events


def eventually(
    look: Callable[[], T | None], what: str, *, but: Callable[[], object] = str, seconds: float = PATIENCE_SECONDS
) -> T:
    """What `look` finds, as soon as it finds anything. Raises AssertionError after a while; `but` says what there was
    instead.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:g} s in vain for {what}; there was {but() or 'nothing'}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def kill_family(process: "subprocess.Popen[bytes]") -> None:
    """Kill the supervisor and all it started, none of which learns of it. Returns when they are gone."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGSTOP)  # it would start again what ends first
    children = children_of(process.pid)
    for pid in (process.pid, *children):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    eventually(lambda: not any(map(is_alive, children)), "the end of all processes")


def children_of(parent: int) -> list[int]:
    """The processes that it started."""
    numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in numbers if (stat := _stat(pid)) and int(stat[1]) == parent]


def is_alive(pid: int) -> bool:
    """Whether it still runs; what nobody has buried yet does not."""
    stat = _stat(pid)
    return bool(stat) and stat[0] not in "ZX"


def _stat(pid: int) -> list[str]:
    """Its state, its parent's number, and so on; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []

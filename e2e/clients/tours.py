"""The tours of docs/tours/, word by word: `make run` as their page starts it, in a database of its own."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx2

from e2e.databases import Database
from e2e.server import HOST, KEYS, ROOT, Server, eventually
from tests.tours.pages import SERVER_PORT, TOURS, Tour, new_ports

TITLE = "the tours, as a stranger plays them"
START_SECONDS = 300  # it migrates and loads the demo first
STOP_SECONDS = 60


def run(server: Server) -> str:
    """Play all pages, one after the other, on one database."""
    pages = sorted(page.name for page in TOURS.glob("*.md") if page.name != "README.md")
    with _folder(server) as made:
        for page in pages:
            with contextlib.closing(made), Tour(page, made.ports, made.start) as tour:
                tour.run()
    return f"{len(pages)} pages: {', '.join(page.removesuffix('.md') for page in pages)}"


class _Made:
    """The server that `make run` starts, with ports and files of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.ports = new_ports()
        self.address = f"http://{HOST}:{self.ports[SERVER_PORT]}"
        files = {"MEDIA_ROOT": folder / "media", "STATUS_ROOT": folder / "status"}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            **KEYS,
            **{name: str(path) for name, path in files.items()},
            **{"DATABASE_URL": url, "PLAIN_HTTP": "true", "PUBLIC_URL": self.address},
        }
        self.log = folder / "make-run.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, command: str) -> None:
        """Start it as the page says, in place of the one before; return when it answers."""
        self.close()
        line = f"{command.strip()} PORT={self.ports[SERVER_PORT]}"
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                ["bash", "-c", line],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        eventually(self._answers, "make run", but=lambda: self.log.read_text()[-2000:], seconds=START_SECONDS)

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self.log.read_text()[-2000:]
        try:
            return httpx2.get(f"{self.address}/livez", timeout=2).status_code == 200
        except httpx2.HTTPError:
            return False

    def close(self) -> None:
        """Stop it as Ctrl-C does."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def _folder(server: Server) -> Iterator[_Made]:
    folder = Path(mkdtemp(prefix="tours-", dir=server.folder))
    database = Database(folder)
    if database.server is not None:  # the server's own has a name by this process too
        database.name += "_tours"
        database.url = f"{database.url}_tours"
    database.create()
    try:
        yield _Made(folder, database.url)
    finally:
        database.drop()

"""A MariaDB server of our own, on a port of its own, which can be killed without anybody else noticing."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import server
from benchmarks.client import HOST
from benchmarks.databases import Database

START_SECONDS = 60.0
Restart = Callable[[], None]


@contextlib.contextmanager
def own_server(engine: str, kind: str) -> Iterator[tuple[Database, Restart | None]]:
    """Run it until the block ends; yields a database of it and what kills and restarts it. SQLite needs none."""
    if engine == "sqlite":
        yield Database(engine, 0, kind), None
        return
    folder = Path(tempfile.mkdtemp(prefix="bench-mariadb-"))
    port = server.free_port()
    subprocess.run(
        ["mariadb-install-db", f"--datadir={folder}", "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    daemon = [_start_mariadb(folder, port)]

    def restart() -> None:
        daemon[0].kill()
        daemon[0].wait()
        daemon[0] = _start_mariadb(folder, port)

    try:
        yield Database(engine, 0, kind, f"mysql://root@{HOST}:{port}"), restart
    finally:
        daemon[0].terminate()
        daemon[0].wait()
        shutil.rmtree(folder, ignore_errors=True)


def _start_mariadb(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    import MySQLdb

    command = ["mariadbd", "--no-defaults", f"--datadir={folder}", f"--port={port}", f"--bind-address={HOST}"]
    user = ["--user=root"] if os.geteuid() == 0 else []
    socket = f"--socket={folder}/s.sock"
    process = subprocess.Popen([*command, socket, *user], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            MySQLdb.connect(host=HOST, port=port, user="root").close()
        except MySQLdb.Error:
            time.sleep(0.1)
        else:
            return process
    raise RuntimeError("a MariaDB server of our own does not answer")

"""A RabbitMQ server of our own, on ports of its own, which can be killed without anybody else noticing."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.client import HOST
from benchmarks.server import free_port

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's; the one in sbin changes to another user
START_SECONDS = 90.0


def is_here() -> bool:
    return PROGRAM.exists()


@contextlib.contextmanager
def own_rabbitmq() -> Iterator[tuple[str, Callable[[], None]]]:
    """Run it until the block ends; yields BROKER_URL and what kills and restarts it."""
    folder = Path(tempfile.mkdtemp(prefix="bench-rabbitmq-"))
    port = free_port()
    environment = {
        **os.environ,
        "HOME": str(folder),  # its cookie
        "RABBITMQ_NODENAME": f"bench{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
    }
    running = [_start(environment, port)]

    def restart() -> None:
        _kill(running[0])
        _wait_until_gone(port)
        running[0] = _start(environment, port)

    try:
        yield f"amqp://guest:guest@{HOST}:{port}//", restart
    finally:
        _kill(running[0])
        shutil.rmtree(folder, ignore_errors=True)


def _start(environment: dict[str, str], port: int) -> "subprocess.Popen[bytes]":
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([str(PROGRAM)], env=environment, stdout=quiet, stderr=quiet, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return process
        time.sleep(0.2)
    raise RuntimeError("a RabbitMQ server of our own does not answer")


def _wait_until_gone(port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            socket.create_connection((HOST, port), timeout=1).close()
            time.sleep(0.05)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()

"""`manage.py serve`: web server and worker, supervised."""

import errno
import fcntl
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from core.management.commands.worker import add_group_arguments, chosen_jobs
from core.server.supervisor import Child, Supervisor
from core.server.wakeups import RECEIVER, SENDER

BACKLOG = 1024
PORT_FREE_SECONDS = 2.0  # until a killed server's port is free
AFTERWARDS_SECONDS = 5.0  # from grace to SIGKILL


class Command(BaseCommand):
    help = "Run the web server and the background jobs, restarting any process that exits."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--processes", type=int, default=settings.WEB_PROCESSES, help="Web processes.")
        parser.add_argument(
            "--no-worker", action="store_true", help="Do not start a worker; it runs elsewhere (`manage.py worker`)."
        )
        parser.add_argument(
            "--prepare", action="store_true", help="Migrate first, and load the demo into an empty database."
        )

        add_group_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        chosen_jobs(options)
        host, port = options["host"], options["port"]
        if options["processes"] < 1:
            raise CommandError("--processes must be a whole number of at least 1.")
        if options["prepare"]:
            with links_to(address_of(host, port)):
                prepare()
        with listen(host, port) as listener:
            address = address_of(host, listener.getsockname()[1])
            children = web_children(listener, options["processes"], address)
            if not options["no_worker"]:
                children.append(beside(children, options))
            self._announce(address)
            Supervisor(children, settings.STOP_SECONDS + AFTERWARDS_SECONDS).run(on_stopping=listener.close)
        self.stdout.write("Stopped.")

    def _announce(self, address: str) -> None:
        self.stdout.write(f"Serving on {address} (stop with Ctrl-C)")
        self.stdout.write(f"  Pages     {address}/")
        self.stdout.write(f"  Status    {address}/status/")
        self.stdout.write(f"  Admin     {address}/admin/")
        self.stdout.write(f"  API docs  {address}/api/docs/")
        self.stdout.write(f"  Health    {address}/health/")
        self.stdout.flush()


def prepare() -> None:
    """Migrate, and load the demo into an empty database; one process at a time."""
    with (settings.BASE_DIR / "manage.py").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0)
        call_command("demo")
        try:
            call_command("write_status_page", verbosity=0)
        except CommandError as error:  # the worker tries again
            sys.stderr.write(f"{error}\n")
    connection.close()


@contextmanager
def links_to(address: str) -> Iterator[None]:
    """Have links of this process lead to the address meanwhile, unless PUBLIC_URL says where."""
    before = settings.PUBLIC_URL
    settings.PUBLIC_URL = before if _has_public_url() else address
    try:
        yield
    finally:
        settings.PUBLIC_URL = before


def web_children(listener: socket.socket, processes: int, address: str) -> list[Child]:
    """Return the web processes, sharing one socket."""
    descriptor = listener.fileno()
    command = [sys.executable, "-m", "core.server.web", str(descriptor)]
    # glibc's per-thread arenas hoard free memory
    extra = {"MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2")}
    if not _has_public_url():
        extra["PUBLIC_URL"] = address
    return [Child(f"web-{number}", command, pass_fds=[descriptor], env=extra) for number in range(1, processes + 1)]


def beside(web: Sequence[Child], options: Mapping[str, Any]) -> Child:
    """Return the worker, woken by the web processes."""
    # detached: they stay open for children that are started again
    receiver, sender = (end.detach() for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
    for child in web:
        child.pass_fds = [*child.pass_fds, sender]
        child.env[SENDER] = str(sender)
    command = [sys.executable, sys.argv[0], "worker", "--supervised"]
    for option, groups in (("--only", options["only"]), ("--except", options["leave_out"])):
        command += [option, *groups] if groups else []
    # its mails and messages hold links
    links = {"PUBLIC_URL": web[0].env["PUBLIC_URL"]} if "PUBLIC_URL" in web[0].env else {}
    return Child("worker", command, pass_fds=[receiver], env={RECEIVER: str(receiver), **links})


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, or fail with one sentence."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return _bind(host, port, family)
    except OverflowError as error:
        raise CommandError(f"{port} is not a valid port; use a number from 1 to 65535.") from error
    except OSError as error:
        raise CommandError(_reason(error, host, port)) from error


def _bind(host: str, port: int, family: int) -> socket.socket:
    deadline = time.monotonic() + PORT_FREE_SECONDS
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
        time.sleep(0.05)


def address_of(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _has_public_url() -> bool:
    return "PUBLIC_URL" in os.environ or settings.PUBLIC_URL != settings.DEFAULT_PUBLIC_URL


def _reason(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"There is no address named {host}."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken; choose another with --port (or `make run PORT=…`)."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the system; choose one above 1023."
    return f"Cannot listen on {host}, port {port}: {error.strerror}."

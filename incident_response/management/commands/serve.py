"""`manage.py serve`: the web server and the worker, supervised."""

import errno
import os
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from incident_response.settings import env
from incident_response.supervisor import Child, Supervisor

BACKLOG = 1024


class Command(BaseCommand):
    help = "Serve the web and run the background jobs; a process that ends is started again."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--processes", type=int, default=settings.WEB_PROCESSES, help="Web processes.")
        parser.add_argument("--no-worker", action="store_true", help="The worker runs elsewhere (`manage.py worker`).")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        if options["processes"] < 1:
            raise CommandError("--processes is a whole number of at least 1.")
        with listen(host, port) as listener:
            address = address_of(host, listener.getsockname()[1])
            children = web_children(listener, options["processes"], address)
            if not options["no_worker"]:
                children.append(Child("worker", [sys.executable, sys.argv[0], "worker", "--supervised"]))
            self._announce(address)
            if Supervisor(children).run() != 0:
                raise CommandError("A process could not be kept running; its messages are above.")
        self.stdout.write("Stopped.")

    def _announce(self, address: str) -> None:
        self.stdout.write(f"Serving on {address} (stop with Ctrl-C)")
        self.stdout.write(f"  Admin     {address}/admin/")
        self.stdout.write(f"  API docs  {address}/api/docs/")
        self.stdout.write(f"  Health    {address}/health/")
        self.stdout.flush()


def web_children(listener: socket.socket, processes: int, address: str) -> list[Child]:
    """The web processes, all listening on the one socket."""
    descriptor = listener.fileno()
    command = [sys.executable, "-m", "incident_response.web", str(descriptor)]
    extra = {} if _has_public_url() else {"PUBLIC_URL": address}
    return [Child(f"web-{number}", command, pass_fds=[descriptor], env=extra) for number in range(1, processes + 1)]


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or one sentence on why not."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OverflowError as error:
        raise CommandError(f"{port} is no port: give a number from 1 to 65535.") from error
    except OSError as error:
        raise CommandError(_reason(error, host, port)) from error


def address_of(host: str, port: int) -> str:
    """The address to show for what we listen on."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _has_public_url() -> bool:
    return "PUBLIC_URL" in os.environ or env.variables["PUBLIC_URL"].default != settings.PUBLIC_URL


def _reason(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror):
        return f"There is no address named {host}."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken; choose another with --port (or `make run PORT=…`)."
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for the system; choose one above 1023."
    return f"Cannot listen on {host}, port {port}: {error.strerror}."

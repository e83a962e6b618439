"""The frame that drives vendors' clients; driving them is `make e2e`."""

import contextlib
import importlib
import io
import json
import pkgutil
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from django.test import SimpleTestCase, TestCase

from e2e import clients, processes
from e2e.__main__ import run
from e2e.environments import Environment, Unavailable
from e2e.server import HOST, NEW_SOURCE, SIGN_IN, eventually
from e2e.tls import TlsFront
from intake.models import Source
from intake.services.sources import digest_of


class ShellTests(TestCase):
    def test_it_runs_in_the_shell_what_there_is(self):
        said = io.StringIO()

        with contextlib.redirect_stdout(said):
            for code in (SIGN_IN, NEW_SOURCE.format(json.dumps({"kind": "generic", "name": "Scripts"}))):
                exec(code, {})

        token, key = said.getvalue().split()
        self.assertTrue(token and Source.objects.get(name="Scripts").keys.filter(digest=digest_of(key)).exists())


class FrameTests(SimpleTestCase):
    def test_it_finds_clients_that_keep_their_contract(self):
        names = [module.name for module in pkgutil.iter_modules(clients.__path__)]

        modules = [importlib.import_module(f"e2e.clients.{name}") for name in names]

        self.assertLessEqual({"pagerduty", "opsgenie"}, set(names))
        self.assertTrue(all(isinstance(module.TITLE, str) and callable(module.run) for module in modules))

    def test_it_says_in_one_line_how_a_client_did(self):
        outcomes = {"PASS": "seen", "FAIL": AssertionError("it is broken\nin two lines"), "SKIP": Unavailable("no net")}

        for expected, outcome in outcomes.items():
            with self.subTest(expected):
                result, said = self.played(outcome)

                self.assertEqual((result, said.split()[0], said.count("\n")), (expected, expected, 1))

    def played(self, outcome: object) -> tuple[str, str]:
        """How a client did that returns this or raises it, and what was printed."""
        effect = {"side_effect" if isinstance(outcome, Exception) else "return_value": outcome}
        client = SimpleNamespace(TITLE="A client", run=mock.Mock(**effect))
        with (
            mock.patch("e2e.__main__.importlib.import_module", return_value=client),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.redirect_stdout(io.StringIO()) as said,
        ):
            return run("client", mock.Mock()), said.getvalue()

    def test_it_gives_up_waiting_and_says_for_what(self):
        with self.assertRaisesMessage(AssertionError, "waited 0.01 s in vain for rain; there was sun"):
            eventually(lambda: None, "rain", but=lambda: "sun", seconds=0.01)

    def test_it_has_what_it_unpacks_find_its_data(self):
        with tempfile.TemporaryDirectory() as folder:
            unpacked, home = Path(folder) / "unpacked", Path(folder) / "home"
            program, data = unpacked / "usr/bin/tool", unpacked / "usr/share/prometheus/default.tmpl"
            for made in (program.parent, data.parent, home):
                made.mkdir(parents=True)
            data.write_text("text")
            program.write_bytes(b"\x7fELF..../usr/share/prometheus/default.tmpl\0tail")
            with mock.patch.object(processes, "UNPACKED", unpacked):
                found = processes.debian_program("tool", "package")
                processes.debian_program("tool", "package")
                processes.lay_data(home)
            path = Path(found).read_bytes()[8:-5]

            self.assertEqual((len(path), (home / path.decode()).read_text()), (34, "text"))
            self.assertEqual(program.stat().st_mode & 0o111, 0o111)

    def test_it_says_that_a_client_cannot_be_installed(self):
        error = subprocess.CalledProcessError(1, "pip", stderr="Collecting it\nNo matching distribution\n")

        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch("e2e.environments.ROOT", Path(folder)),
            mock.patch("e2e.environments.subprocess.run", side_effect=error),
            self.assertRaisesMessage(Unavailable, "No matching distribution"),
        ):
            Environment("pagerduty", "pagerduty")


class TlsFrontTests(SimpleTestCase):
    def test_it_passes_on_what_comes_over_a_connection_that_its_authority_vouches_for(self):
        with tempfile.TemporaryDirectory() as folder, socket.create_server((HOST, 0)) as listener:
            threading.Thread(target=answer_backwards, args=(listener,), daemon=True).start()
            server = SimpleNamespace(folder=Path(folder), port=listener.getsockname()[1])
            with TlsFront(server) as front:
                context = ssl.create_default_context(cafile=str(front.authority))
                with (
                    socket.create_connection((HOST, front.port), timeout=5) as plain,
                    context.wrap_socket(plain, server_hostname="localhost") as connection,
                ):
                    connection.sendall(b"hello")
                    answer = connection.recv(100)

        self.assertEqual(answer, b"olleh")


def answer_backwards(listener: socket.socket) -> None:
    connection, _address = listener.accept()
    with connection:
        connection.sendall(connection.recv(100)[::-1])

"""The agent by itself: its configuration, what it runs, and what it keeps."""

import base64
import json
import os
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import TestCase, mock

from agent import incident_agent as program
from agent.incident_agent import Command, ConfigError, Journal, Refused
from agent.tests.processes import Machine
from e2e.tls import write_certificates
from remediation.agent.signing import public_key, sign

SECRET = "a secret for tests"


class MachineCase(TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.machine = self.make()

    def make(self, **settings: Any) -> Machine:
        values = {"server": "https://incidents.example.org", "agent": 3, "key": "a key"}
        return Machine(self.folder, public_key=public_key(SECRET), **{**values, **settings})


class ConfigTests(MachineCase):
    def test_it_checks_a_configuration(self) -> None:
        code, said = self.machine.check()

        self.assertEqual((code, "1 commands for https://incidents.example.org" in said), (0, True), said)

    def test_it_reads_toml_where_python_does(self) -> None:
        path = self.folder / "agent.toml"
        lines = [f"{name} = {json.dumps(value)}" for name, value in self.machine.settings.items() if name != "commands"]
        path.write_text(
            "\n".join(
                [
                    *lines,
                    "[commands.list]",
                    'argv = ["/bin/ls", "{folder}"]',
                    "[commands.list.arguments]",
                    'folder = "/tmp/[a-z]+"',
                ]
            )
        )
        path.chmod(0o600)

        self.assertEqual(program.load(path).commands["list"].filled({"folder": "/tmp/a"}), ["/bin/ls", "/tmp/a"])

    def test_it_refuses_what_others_could_change(self) -> None:
        for path, mode in ((self.machine.state, 0o777), (self.machine.config, 0o666), (self.folder / "key", 0o644)):
            good = path.stat().st_mode
            path.chmod(mode)
            with self.subTest(path=path.name), self.assertRaisesRegex(ConfigError, "by its owner only"):
                program.load(self.machine.config)
            path.chmod(good)
        strangers = mock.Mock(st_mode=0o100600, st_uid=os.geteuid() + 1)
        with (
            mock.patch.object(Path, "stat", return_value=strangers),
            self.assertRaisesRegex(ConfigError, "must belong to root"),
        ):
            program._check_private(self.machine.config, "the configuration", readable=True)

    def test_it_names_what_is_wrong(self) -> None:
        good = self.machine.settings["commands"]["restart-web"]
        for settings, said in (
            ({"server": "http://incidents.example.org"}, "https"),
            ({"agent": "3"}, "agent must be"),
            ({"public_key": "abc"}, "public_key"),
            ({"key_file": "/nowhere"}, "key_file"),
            ({"state": "/nowhere"}, "state"),
            ({"verify_tls": False}, "unknown setting verify_tls"),
            ({"commands": {}}, "no commands"),
            ({"commands": {"x": {**good, "argv": ["ls", "{unit}"]}}}, "whole path"),
            ({"commands": {"x": {**good, "argv": ["/bin/{unit}"]}}}, "whole path"),
            ({"commands": {"x": {**good, "argv": "/bin/ls {unit}"}}}, "list of texts"),
            ({"commands": {"x": {**good, "arguments": {}}}}, "same placeholders"),
            ({"commands": {"x": {**good, "arguments": {"unit": "("}}}}, "no regular expression"),
            ({"commands": {"x": {**good, "shell": True}}}, "unknown setting shell"),
            ({"commands": {"x": {**good, "seconds": 0}}}, "seconds"),
            ({"commands": {"../x": good}}, "has a name"),
        ):
            self.machine.write(**settings)
            with self.subTest(said):
                code, output = self.machine.check()
                self.assertEqual((code, said in output), (1, True), output)

    def test_it_refuses_files_that_others_could_read_or_change(self) -> None:
        for path, mode in ((self.folder / "key", 0o640), (self.machine.config, 0o620)):
            path.chmod(mode)
            with self.subTest(path.name), self.assertRaisesRegex(ConfigError, "by its owner only"):
                program.load(self.machine.config)
            path.chmod(0o600)

    def test_it_does_not_run_as_root_unless_it_is_told_to(self) -> None:
        self.machine.write(allow_root=False)
        if os.geteuid() == 0:
            with self.assertRaisesRegex(ConfigError, "root"):
                program.load(self.machine.config)
        else:
            self.assertEqual(program.load(self.machine.config).agent, 3)


class VerifyingTests(MachineCase):
    def job(self, **fields: Any) -> dict[str, Any]:
        now = time.time()
        return {"job": 1, "agent": 3, "not_before": now - 60, "expires": now + 60, "command": "restart-web", **fields}

    def verified(self, envelope: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return program.verified(envelope, program.load(self.machine.config), time.time())

    def test_it_takes_what_the_server_signed_for_it_now(self) -> None:
        self.assertEqual(self.verified(sign(SECRET, self.job()))["job"], 1)

    def test_it_refuses_everything_else(self) -> None:
        good = sign(SECRET, self.job())
        payload = base64.b64decode(good["payload"])
        tampered = base64.b64encode(payload.replace(b"restart-web", b"restart-all")).decode()
        for envelope, said in (
            (sign("another secret", self.job()), "signature"),
            ({**good, "payload": tampered}, "signature"),
            ({**good, "signature": "AAAA"}, "signature"),
            ({"payload": good["payload"]}, "signature"),
            ({"payload": 3, "signature": None}, "signature"),
            (sign(SECRET, self.job(agent=4)), "another agent"),
            (sign(SECRET, self.job(expires=time.time() - 300)), "over by 300 s"),
            (sign(SECRET, self.job(not_before=time.time() + 300)), "early by 300 s"),
            (sign(SECRET, {"job": 1}), "signature"),
        ):
            with self.subTest(said), self.assertRaisesRegex(Refused, said):
                self.verified(envelope)

    def test_it_takes_only_arguments_that_match(self) -> None:
        command = Command("c", ("/bin/ls", "{unit}", "--of={unit}"), {"unit": re.compile(".*")}, 5, "/", {})

        self.assertEqual(command.filled({"unit": "a; rm {unit}"}), ["/bin/ls", "a; rm {unit}", "--of=a; rm {unit}"])
        for values in (
            {},
            {"unit": "a", "other": "b"},
            {"unit": "-rf"},
            {"unit": "a\0"},
            {"unit": "a\nb"},
            {"unit": 3},
        ):
            with self.subTest(values), self.assertRaises(Refused):
                command.filled(values)


class JournalTests(MachineCase):
    def test_it_begins_a_job_once_also_after_a_restart(self) -> None:
        journal = Journal(self.machine.state)
        self.assertEqual([journal.begin(7), journal.begin(7)], [True, False])
        journal._lock.close()

        again = Journal(self.machine.state)

        self.assertFalse(again.begin(7))
        self.assertEqual(again.unsent(), [(7, {"state": "unknown", "output": "The agent was ended."})])
        again.end(7, {"state": "done"})
        self.assertEqual(again.unsent(), [(7, {"state": "done"})])
        again.sent(7)
        self.assertEqual((again.unsent(), again.begin(7)), ([], False))

    def test_it_is_used_by_one_agent_at_a_time(self) -> None:
        first = Journal(self.machine.state)

        with self.assertRaisesRegex(ConfigError, "another agent"):
            Journal(self.machine.state)
        first._lock.close()

    def test_it_forgets_what_expired_long_ago(self) -> None:
        journal = Journal(self.machine.state)
        journal.begin(7)

        journal.prune(time.time() + program.KEPT_SECONDS - 60)
        kept = journal.begin(7)
        journal.prune(time.time() + program.KEPT_SECONDS + 3600)

        self.assertEqual((kept, journal.begin(7)), (False, True))


class RunningTests(MachineCase):
    def run_word(self, word: str, seconds: int = 5) -> dict[str, Any]:
        config = program.load(self.machine.config)
        command = config.commands["restart-web"]
        return program.run(command, command.filled({"unit": word}), seconds, lambda text: text)

    def test_it_runs_in_a_clean_environment(self) -> None:
        os.environ["SECRET"] = "of ours"

        result = self.run_word("environment")

        self.assertEqual((result["state"], result["exit_code"]), ("done", 0))
        self.assertEqual(result["output"].replace("'LC_CTYPE', ", ""), "['LANG', 'PATH'] /\n")

    def test_it_tells_the_exit_code_with_what_was_said_last(self) -> None:
        self.assertEqual(self.run_word("broken"), {"state": "failed", "exit_code": 3, "output": "no such unit\n"})

    def test_it_ends_the_whole_group_in_time(self) -> None:
        begun = time.monotonic()

        result = self.run_word("endless", seconds=1)

        self.assertEqual((result["state"], result["output"]), ("timed_out", "begun\n"))
        self.assertLess(time.monotonic() - begun, 5)
        time.sleep(3)
        self.assertFalse((self.folder / "survivor").exists())

    def test_it_cuts_what_is_too_long_and_lets_the_command_end(self) -> None:
        result = self.run_word("huge")

        self.assertEqual(result["state"], "done")
        self.assertEqual(len(result["output"]), program.MAX_OUTPUT + len("\n… cut"))

    def test_it_takes_secrets_out_of_what_leaves_the_machine(self) -> None:
        agent = program.Agent(program.load(self.machine.config))
        self.addCleanup(agent.journal._lock.close)
        command = agent.config.commands["restart-web"]

        result = program.run(command, command.filled({"unit": "secret"}), 5, agent._redacted)

        said = "password=[redacted] Authorization: Bearer [redacted] [redacted] \ufffd\n"
        self.assertEqual(result["output"], said)

    def test_it_cuts_what_grew_by_taking_secrets_out(self) -> None:
        command = Command("c", ("/bin/sh",), {}, 5, "/", {})

        result = program.run(command, ["/bin/echo", "x" * 1000], 5, lambda text: text * 100)

        self.assertEqual(len(result["output"]), program.MAX_OUTPUT)

    def test_it_refuses_a_program_that_cannot_be_run(self) -> None:
        command = Command("c", ("/nowhere",), {}, 5, "/", {})

        self.assertEqual(program.run(command, ["/nowhere"], 5, str)["state"], "refused")


class ServerTests(MachineCase):
    def test_it_works_on_whatever_the_server_answers(self) -> None:
        short = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"
        answers = [short, b"nonsense\r\n\r\n", b""]
        for body in (b"[]", b'{"job": {}}', b'{"job": 7}', b'{"poll_seconds": null}', b'{"poll_seconds": 5}'):
            answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        self.machine.write(server=f"http://127.0.0.1:{listener.getsockname()[1]}")
        agent = program.Agent(program.load(self.machine.config))
        self.addCleanup(agent.journal._lock.close)
        pauses: list[float] = []
        agent.stopping = mock.Mock(is_set=lambda: len(pauses) == len(answers), wait=pauses.append)

        with mock.patch.object(program.log, "warning"):
            worker = threading.Thread(target=agent.work, daemon=True)
            worker.start()
            for answer in answers:
                caller, _address = listener.accept()
                with caller:
                    caller.settimeout(5)
                    caller.recv(65_536)
                    caller.sendall(answer)
            worker.join(5)

        self.assertEqual((len(pauses), pauses[-1]), (len(answers), 5.0))


class TlsTests(MachineCase):
    def test_it_talks_to_a_server_that_its_authority_vouches_for_only(self) -> None:
        write_certificates(self.folder / "ca.pem", self.folder / "pair.pem")
        server = ThreadingHTTPServer(("127.0.0.1", 0), Idle)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "pair.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        address = f"https://127.0.0.1:{server.server_port}"

        self.machine.write(server=address, ca_file=str(self.folder / "ca.pem"))
        trusting = program.Agent(program.load(self.machine.config))
        self.assertEqual(trusting.poll(), 5.0)
        trusting.journal._lock.close()
        self.machine.write(server=address)
        doubting = program.Agent(program.load(self.machine.config))
        with self.assertRaisesRegex(OSError, "CERTIFICATE_VERIFY_FAILED"):
            doubting.poll()
        doubting.journal._lock.close()


class Idle(BaseHTTPRequestHandler):
    """A server without work, for callers with the right key."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        is_known = self.headers["Authorization"] == "Agent a key" and self.path == "/api/v1/agents/poll/"
        content = b'{"job": null, "poll_seconds": 5}'
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing."""


class LanguageTests(TestCase):
    def test_it_is_one_file_of_the_standard_library_and_cryptography(self) -> None:
        text = Path(program.__file__).read_text(encoding="utf-8")
        tops = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE))

        self.assertEqual(tops - set(sys.stdlib_module_names), {"cryptography"})

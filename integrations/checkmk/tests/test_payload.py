"""Checkmk's notifications, where they are more than Nagios'; and the script that its source shows."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from django.test import SimpleTestCase

from alerts.updates import AlertUpdate
from intake.requests import IntakeError, IntakeRequest
from integrations.checkmk import payload as checkmk

HOST = {"WHAT": "HOST", "NOTIFICATIONTYPE": "PROBLEM", "HOSTNAME": "store-7", "HOSTSTATE": "DOWN"}


def parse(body: Any) -> list[AlertUpdate]:
    return checkmk.parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode()))


class CheckmkTests(SimpleTestCase):
    def test_it_takes_a_host_for_a_host_whatever_else_is_told(self):
        [found] = parse({**HOST, "SERVICEDESC": "CPU", "SERVICESTATE": "OK"})

        self.assertEqual((found.fingerprint, found.action, found.severity), ("store-7", "fire", "critical"))

    def test_it_opens_and_ends_nothing_by_an_alert_handler(self):
        [found] = parse({**HOST, "NOTIFICATIONTYPE": "ALERTHANDLER (OK)"})

        self.assertEqual((found.action, found.is_guess), ("note", False))

    def test_it_tells_events_of_the_event_console_apart_and_cancels_them(self):
        event = {"NOTIFICATIONTYPE": "PROBLEM", "HOSTNAME": "fw", "SERVICEDESC": "kernel", "SERVICESTATE": "WARNING"}
        found = parse([{**event, "EC_ID": "1"}, {**event, "EC_ID": "2"}])

        [over] = parse({**event, "NOTIFICATIONTYPE": "RECOVERY", "SERVICESTATE": "OK", "EC_ID": "1"})

        self.assertEqual([one.fingerprint for one in found], ["fw!kernel!1", "fw!kernel!2"])
        self.assertEqual((over.fingerprint, over.action), ("fw!kernel!1", "resolve"))
        self.assertTrue(found[0].may_never_end)

    def test_it_links_to_checkmk_only_where_it_knows_the_site(self):
        path = {"HOSTURL": "/check_mk/index.py?start_url=view.py"}

        [bare], [whole] = (
            parse({**HOST, **path}),
            parse({**HOST, **path, "PARAMETER_2": "https://cmk.example.org/a/check_mk/"}),
        )

        self.assertEqual(bare.links, ())
        self.assertEqual(whole.links[0]["href"], "https://cmk.example.org/a/check_mk/index.py?start_url=view.py")

    def test_it_names_what_is_missing(self):
        with self.assertRaisesRegex(IntakeError, "HOSTNAME"):
            parse({"NOTIFY_WHAT": "HOST", "NOTIFY_NOTIFICATIONTYPE": "PROBLEM"})


class ScriptTests(SimpleTestCase):
    """The script of SNIPPET, run as Checkmk runs it."""

    def run_script(self, status: int) -> tuple[int, list[bytes]]:
        """Return its exit code against a server that answers so, and what it sent."""
        bodies: list[bytes] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            names = {f"NOTIFY_{name}": said for name, said in HOST.items()}
            address = {"NOTIFY_PARAMETER_1": f"http://127.0.0.1:{server.server_port}/intake/k/"}
            done = subprocess.run(
                [sys.executable, "-c", checkmk.SNIPPET],
                env={**names, **address, "PATH": os.environ["PATH"], "no_proxy": "*"},
                capture_output=True,
                timeout=30,
                check=False,
            )
        finally:
            server.shutdown()
            server.server_close()
        return done.returncode, bodies

    def test_it_sends_what_checkmk_says_but_for_the_address(self):
        code, [body] = self.run_script(202)

        self.assertEqual((code, json.loads(body)), (0, HOST))

    def test_it_asks_checkmk_to_try_again_where_that_may_help(self):
        self.assertEqual([self.run_script(status)[0] for status in (503, 429, 400)], [1, 1, 2])

import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from unittest import mock

from django.test import SimpleTestCase

from core.server.probe import host_name, is_well


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/livez" and self.headers["Host"] == "a.example" else 503)
        self.end_headers()

    def log_message(self, *args):
        pass


class ProbeTests(SimpleTestCase):
    def test_it_asks_under_a_name_the_server_answers_to(self):
        given = {"a.example,b.example": "a.example", ".example.org": "example.org", "*": "localhost", "": "localhost"}

        for value, expected in given.items():
            with self.subTest(value=value), mock.patch.dict(os.environ, ALLOWED_HOSTS=value):
                self.assertEqual(host_name(), expected)

    def test_it_tells_well_from_unwell_and_absent(self):
        server = HTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()

        with mock.patch.dict(os.environ, ALLOWED_HOSTS="a.example"):
            outcomes = [is_well("/livez", server.server_port), is_well("/readyz", server.server_port)]
        server.shutdown()

        self.assertEqual([*outcomes, is_well("/livez", 1)], [True, False, False])

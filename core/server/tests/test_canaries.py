"""What the web process leans on of uvicorn's insides, and of Django's log."""

import asyncio
import inspect
from unittest import mock

import uvicorn
from django.http import HttpResponse
from django.utils.log import log_response
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from core.tests.canaries import CanaryCase


async def _nothing(scope: object, receive: object, send: object) -> None:
    """Stand in for an application."""


def make_config() -> uvicorn.Config:
    config = uvicorn.Config(_nothing, http=HttpToolsProtocol, lifespan="off", ws="none", log_config=None)
    config.load()
    return config


class ServerTests(CanaryCase):
    use = "core.server.web.Server, which accepts and stops in its own way"

    def test_it_starts_and_stops_with_the_same_calls(self) -> None:
        self.assert_takes(uvicorn.Server.__init__, "config", use=self.use)
        for method in (uvicorn.Server.startup, uvicorn.Server.shutdown, uvicorn.Server.run):
            self.assert_takes(method, "sockets", use=self.use)
        self.assert_takes(uvicorn.Server.capture_signals, use=self.use)
        self.assertTrue(inspect.iscoroutinefunction(uvicorn.Server.startup), self.use)

    def test_it_keeps_its_state_where_it_did(self) -> None:
        server = uvicorn.Server(make_config())

        self.assert_has(server, "server_state", "started", "should_exit", use=self.use)
        self.assert_has(server.server_state, "connections", "tasks", use=self.use)

    def test_it_sets_its_servers_and_lifespan_where_ours_finds_them(self) -> None:
        source = inspect.getsource(uvicorn.Server)

        for words in ("self.lifespan = ", "self.servers", "await self.startup(sockets", "await self.shutdown(sockets"):
            self.assertIn(words, source, self.use)

    def test_it_makes_connections_with_the_same_call(self) -> None:
        config = make_config()

        self.assertIs(config.http_protocol_class, HttpToolsProtocol, self.use)
        self.assert_takes(HttpToolsProtocol.__init__, "config", "server_state", "app_state", "_loop", use=self.use)


class ProtocolTests(CanaryCase):
    use = "core.server.protocol.BoundedProtocol, which bounds what a client may send"

    def test_it_calls_what_ours_overrides(self) -> None:
        for name, parameters in {
            "connection_made": ("transport",),
            "connection_lost": ("exc",),
            "data_received": ("data",),
            "on_message_begin": (),
            "on_url": ("url",),
            "on_header": ("name", "value"),
            "on_headers_complete": (),
            "on_body": ("body",),
            "on_message_complete": (),
            "on_response_complete": (),
            "send_400_response": ("msg",),
            "shutdown": (),
            "_unset_keepalive_if_required": (),
            "_should_upgrade": (),
        }.items():
            with self.subTest(method=name):
                self.assert_takes(getattr(HttpToolsProtocol, name), *parameters, use=self.use)

    def test_it_keeps_its_state_where_it_did(self) -> None:
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)

        protocol = HttpToolsProtocol(make_config(), ServerState(), {}, loop)

        names = ("parser", "pipeline", "cycle", "flow", "transport", "timeout_keep_alive_task", "headers", "loop")
        self.assert_has(protocol, *names, use=self.use)
        self.assertIsNone(protocol.cycle, f"no request yet: {self.use}")
        self.assert_has(protocol.parser, "feed_data", "set_dangerous_leniencies", "get_method", use=self.use)

    def test_it_pauses_and_answers_with_the_same_calls(self) -> None:
        for method in (FlowControl.pause_reading, FlowControl.resume_reading, RequestResponseCycle.receive):
            self.assert_takes(method, use=self.use)
        fields = inspect.getsource(RequestResponseCycle.__init__)
        for name in ("body", "more_body", "response_complete", "keep_alive"):
            self.assertIn(f"self.{name} = ", fields, self.use)


class LogTests(CanaryCase):
    def test_it_logs_no_response_that_is_marked(self) -> None:
        response = HttpResponse(status=503)
        response._has_been_logged = True  # type: ignore[attr-defined]
        logger = mock.Mock()

        log_response("%s", "x", response=response, logger=logger)

        self.assertEqual(logger.mock_calls, [], "core.server.health marks what is logged already.")

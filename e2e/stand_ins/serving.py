"""What the stand-ins share: a server that can be killed in the middle of an answer, and started again."""

import argparse
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

JSON = "application/json"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]  # by lower-case names
    body: bytes
    target: str  # path and query as sent


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def of_json(status: int, content: Any, **headers: str) -> Reply:
    return Reply(status, json.dumps(content).encode(), {"Content-Type": JSON, **headers})


def of_text(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), {"Content-Type": PLAIN})


class StandIn:
    """A server that answers by `judge`; subclasses keep what must outlive a kill in attributes that `forget` spares.

    `kills`: of the next requests for which it holds, the first gets half an answer, and the server is gone.
    `refuses`: replies that the next requests get instead of being judged. `delay`: seconds before each. `pair`: a file
    with key and certificate, for HTTPS.
    """

    def __init__(self, port: int = 0) -> None:
        self.port, self.lock = port, threading.RLock()
        self.requests: list[Request] = []
        self.kills: Callable[[Request], bool] | None = None
        self.refuses: list[Reply] = []
        self.delay = 0.0
        self.pair: Path | None = None
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.pair else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start on the port it had before, without what a process forgets."""
        self.forget()
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_port
        if self.pair is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.pair)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop at once, in the middle of whatever it does."""
        with self.lock:
            server, self._server = self._server, None
        if server is not None:
            server.kill()

    def dawdle(self, request: int, seconds: float) -> None:
        """Answer the request of this number, from 0 and from now on, only after so many seconds."""
        known = len(self.requests)

        def wait(_request: Request) -> bool:
            if len(self.requests) == known + request + 1:
                time.sleep(seconds)
            return False

        self.kills = wait

    def forget(self) -> None:
        """Drop what lives no longer than the process."""

    def judge(self, request: Request) -> Reply:
        raise NotImplementedError

    def answer(self, request: Request) -> tuple[Reply, bool]:
        """Return the reply, and whether half of it is all that is sent."""
        time.sleep(self.delay)
        with self.lock:
            self.requests.append(request)
            if self.refuses:
                return self.refuses.pop(0), False
            is_killed = self.kills is not None and self.kills(request)
            if is_killed:
                self.kills = None
            return self.judge(request), is_killed

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], stand_in: StandIn) -> None:
        super().__init__(address, _Handler)
        self.stand_in, self.open_sockets = stand_in, set[socket.socket]()

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted, address = super().get_request()
        self.open_sockets.add(accepted)
        return accepted, address

    def shutdown_request(self, request: Any) -> None:
        self.open_sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: the other end may hang up at any time."""

    def kill(self) -> None:
        self.shutdown()
        self.server_close()
        for one in list(self.open_sockets):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        params = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        request = Request(self.command, parts.path, params, headers, body, self.path)
        reply, is_killed = self.server.stand_in.answer(request)
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
            self.send_header(name, value)
        if headers.get("connection", "").lower() == "close":  # splunk-sdk reads nothing otherwise
            self.send_header("Connection", "close")
        self.end_headers()
        if is_killed:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.wfile.flush()
            self.server.stand_in.stop()
        elif self.command != "HEAD":
            self.wfile.write(reply.body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


def run(make: Callable[[int], StandIn], port: int, about: str) -> None:
    """Serve from a command line until interrupted."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--port", type=int, default=port)
    with make(parser.parse_args().port) as stand_in:
        print(f"{about} {stand_in.url}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass

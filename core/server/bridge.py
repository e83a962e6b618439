"""Run Django's WSGI half on a fixed thread pool under ASGI.

A whole answer crosses to the event loop once, so slow readers hold no thread. Streams cross per chunk on half as many
threads of their own, and stop with their client.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Any

from core.errors import Busy
from core.server.bodies import STALL_SECONDS, ClientGone, Receive, Scope, Send

WHOLE_BYTES = 512 * 1024  # answered in one piece
STREAM_WAIT_SECONDS = 20

Environ = dict[str, Any]
Headers = list[tuple[str, str]]


@dataclass
class Answer:
    """A response on its way; `body` is None when streamed."""

    loop: asyncio.AbstractEventLoop
    receive: Receive
    send: Send
    gone: threading.Event = field(default_factory=threading.Event)
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes | None = None

    def start(self, status: str, headers: Headers, exc_info: object = None) -> Callable[[bytes], object]:
        """Start the response (WSGI's `start_response`)."""
        self.status = int(status.split(" ", 1)[0])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return _no_write

    async def send_start(self) -> None:
        await self.send({"type": "http.response.start", "status": self.status, "headers": self.headers})

    async def send_chunk(self, chunk: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": chunk, "more_body": more})

    def stream(self, chunks: Iterable[bytes]) -> None:
        """Send chunks from a thread. Raises ClientGone."""
        watcher = asyncio.run_coroutine_threadsafe(self._watch(), self.loop)
        try:
            self._wait(self.send_start())
            for chunk in chunks:
                if chunk:
                    self._wait(self.send_chunk(chunk, more=True))
            self._wait(self.send_chunk(b"", more=False))
        finally:
            watcher.cancel()

    async def _watch(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    def _wait(self, sending: Any) -> None:
        if self.gone.is_set():
            sending.close()
            raise ClientGone
        future = asyncio.run_coroutine_threadsafe(sending, self.loop)
        for _second in range(STALL_SECONDS):
            if _is_done(future):
                return
            if self.gone.is_set():
                break
        future.cancel()
        self.gone.set()
        raise ClientGone


class ThreadedApplication:
    def __init__(self, application: Callable[[Environ, Any], Iterable[bytes]], threads: int) -> None:
        streams = max(1, threads // 2)
        self.application = application
        self.executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="web")
        self.streamers = ThreadPoolExecutor(max_workers=streams, thread_name_prefix="stream")
        self.free_streamers = asyncio.Semaphore(streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, body: IO[bytes], size: int) -> None:
        """Answer a received request. Raises Busy with too many streams."""
        loop = asyncio.get_running_loop()
        answer = Answer(loop, receive, send)
        try:
            stream = await loop.run_in_executor(self.executor, self._run, build_environ(scope, body, size), answer)
            if stream is not None:
                await self._stream(stream, answer)
        finally:
            answer.gone.set()
        if answer.body is not None:
            await answer.send_start()
            await send({"type": "http.response.body", "body": answer.body})

    def _run(self, environ: Environ, answer: Answer) -> Iterable[bytes] | None:
        response = self.application(environ, answer.start)
        if not (hasattr(response, "content") or _is_short(answer)):  # Django's streaming responses have no `content`
            return response
        try:
            answer.body = b"".join(response)
        finally:
            _close(response)
        return None

    async def _stream(self, response: Iterable[bytes], answer: Answer) -> None:
        try:
            async with asyncio.timeout(STREAM_WAIT_SECONDS):
                await self.free_streamers.acquire()
        except TimeoutError as error:
            await answer.loop.run_in_executor(self.executor, _close, response)
            raise Busy("Too many downloads are in progress; try again shortly.") from error
        try:
            await answer.loop.run_in_executor(self.streamers, _send_stream, response, answer)
        finally:
            self.free_streamers.release()


def _send_stream(response: Iterable[bytes], answer: Answer) -> None:
    try:
        answer.stream(response)
    except ClientGone:
        return
    finally:
        _close(response)


def _is_short(answer: Answer) -> bool:
    length = dict(answer.headers).get(b"content-length", b"")
    return length.isdigit() and int(length) <= WHOLE_BYTES


def _close(response: Iterable[bytes]) -> None:
    close = getattr(response, "close", None)
    if close is not None:
        close()


def build_environ(scope: Scope, body: IO[bytes], size: int) -> Environ:
    """Return WSGI's view of a request (PEP 3333).

    Header names with underscores are dropped: they would pass for their hyphenated twins.
    """
    server_name, server_port = scope.get("server") or ("localhost", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode().decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server_name,
        "SERVER_PORT": str(server_port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope.get("client") or ("", 0))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **scope.get("environ", {}),
    }
    for name, value in scope["headers"]:
        if b"_" not in name:
            key = name.decode("latin-1").upper().replace("-", "_")
            text = value.decode("latin-1")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            if key in environ:
                text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
            environ[key] = text
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(size)
    return environ


def _is_done(future: "Future[None]") -> bool:
    try:
        future.result(timeout=1)
    except TimeoutError:
        return False
    return True


def _no_write(_data: bytes) -> object:
    raise RuntimeError("WSGI's write() is not offered here; return an iterable.")

"""Receive each body, then dispatch to a thread, an endpoint, or the event loop.

Django's ASGI handler costs an executor thread per synchronous view, more than the view: only `ASYNC_PREFIXES` go
there. Set Django up before importing this.
"""

import asyncio
from contextlib import ExitStack, suppress

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.urls import get_resolver

from core.errors import Busy, DomainError
from core.server.bodies import MEGABYTE, Budget, ClientGone, Receive, Scope, Send, Share, header, take_body
from core.server.bridge import ThreadedApplication
from core.server.callers import asking, network_of, signed_in, strangers_budget
from core.server.endpoints import find_endpoint, relocated
from core.server.responses import send_problem

# open streams
ASYNC_PREFIXES: tuple[str, ...] = ()

FORM_OVERHEAD_BYTES = 1024 * 1024  # for other form fields
MAX_UPLOAD_BYTES = settings.MAX_ATTACHMENT_BYTES * settings.MAX_ATTACHMENTS + FORM_OVERHEAD_BYTES

# On disk; the form parser may hold each once more.
upload_budget = Budget(max(4 * MAX_UPLOAD_BYTES, 1024 * MEGABYTE))
asynchronous = ASGIHandler()
threaded = ThreadedApplication(WSGIHandler(), settings.WEB_THREADS)

# Import every view now, not for the first caller.
_ = get_resolver().url_patterns


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await _refuse_protocol(scope, receive, send)
        return
    scope = relocated(scope)
    if endpoint := find_endpoint(scope["method"], scope["path"]):
        with suppress(ClientGone):
            await endpoint(scope, receive, send)
    elif ASYNC_PREFIXES and scope["path"].startswith(ASYNC_PREFIXES):
        await asynchronous(dict(scope), receive, send)  # type: ignore[arg-type]
    else:
        await _serve(scope, receive, send)


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    with ExitStack() as held:
        share = held.enter_context(strangers_budget.share(network_of(scope)))

        async def admit() -> Share:
            caller = await asyncio.get_running_loop().run_in_executor(asking, signed_in, scope)
            return held.enter_context(upload_budget.share(caller))

        try:
            body, size = await take_body(scope, receive, _limit(scope), share, admit)
        except DomainError as error:
            await send_problem(send, error)
            return
        except ClientGone:
            return
        with body:
            try:
                await threaded(scope, receive, send, body, size)
            except Busy as error:
                await send_problem(send, error)


def _limit(scope: Scope) -> int:
    if header(scope, b"content-type").lower().startswith(b"multipart/form-data"):
        return MAX_UPLOAD_BYTES
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


async def _refuse_protocol(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    else:
        raise RuntimeError(f"This application does not speak {scope['type']}.")

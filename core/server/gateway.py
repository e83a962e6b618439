"""Where each request enters: its body is taken in, then it goes to a thread, to the committer or to the event loop.

Django's own ASGI handler starts an executor thread for every request of a synchronous view, which costs more than the
view. So ordinary requests go to a fixed pool of threads that run Django's WSGI handler. What senders post to the doors
of intake goes to the committer, past Django's middleware and views. Only what is asynchronous by nature, the paths in
`ASYNC_PREFIXES`, goes to the ASGI handler. Django must be set up before this is imported.
"""

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections
from django.urls import get_resolver

from core.api.jsonio import to_json
from core.api.problems import CREDENTIALS, problem
from core.errors import Busy, DomainError, RequestTimeout
from core.server.bodies import Budget, ClientGone, Receive, Scope, Send, Share, header, read_body, take_body
from core.server.bridge import ThreadedApplication
from core.server.callers import network_of, signed_in
from intake.committer import committer
from intake.endpoints import Endpoint, find
from intake.requests import MAX_BYTES, IntakeError, IntakeRequest, IntakeResponse
from intake.services.sources import is_remembered
from intake.serving import admit

# Paths of asynchronous views: streams that stay open.
ASYNC_PREFIXES: tuple[str, ...] = ()

FORM_OVERHEAD_BYTES = 1024 * 1024  # what a multipart form may hold besides its files
MAX_UPLOAD_BYTES = settings.MAX_ATTACHMENT_BYTES * settings.MAX_ATTACHMENTS + FORM_OVERHEAD_BYTES

MEGABYTE = 1024 * 1024
# What known senders may have in the memory of this process, from its first byte to its answer.
intake_budget = Budget(96 * MEGABYTE)
# What those may have in it who have not said who they are, or not yet; a network's part is a quarter of it.
strangers_budget = Budget(32 * MEGABYTE, cuts_off=True)
# What signed-in people may have on the disk while it is on its way; the parser of forms may have it there once more.
upload_budget = Budget(max(4 * MAX_UPLOAD_BYTES, 1024 * MEGABYTE))
# Where the key is in the body, which PagerDuty itself bounds at half of it.
UNKNOWN_SENDER_BYTES = MEGABYTE

asynchronous = ASGIHandler()
threaded = ThreadedApplication(WSGIHandler(), settings.WEB_THREADS)
asking = ThreadPoolExecutor(2, thread_name_prefix="asking")  # who is calling


# Imports every view now, rather than while the first caller waits.
_ = get_resolver().url_patterns


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request."""
    if scope["type"] != "http":
        await _refuse_protocol(scope, receive, send)
    elif door := find(scope["method"], scope["path"]):
        await _take_in(door, scope, receive, send)
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


async def _take_in(door: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
    """Intake uses neither Django's middleware nor its views."""
    try:
        reply = await _reply(door, scope, receive)
    except DomainError as error:
        reply = door.refuse(IntakeError(error.message, status=error.status, retry_after=error.retry_after or 0))
    except ClientGone:
        return
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    headers += [(b"content-type", reply.media_type.encode()), (b"content-length", str(len(reply.body)).encode())]
    await _send(send, reply.status, headers, reply.body)


async def _reply(door: Endpoint, scope: Scope, receive: Receive) -> IntakeResponse:
    """The body ends with this call: a client that reads slowly keeps it from nobody."""
    head = _incoming(scope, b"")
    if door.is_key_in_body(head):
        budget, sender, limit = strangers_budget, network_of(scope), UNKNOWN_SENDER_BYTES
    else:
        admitted = await _admit(door, head)
        if isinstance(admitted, IntakeResponse):
            return admitted
        budget, sender, limit = intake_budget, admitted, MAX_BYTES
    with budget.share(sender) as share:
        body = await read_body(scope, receive, limit, share)
        return await committer.answer(door, replace(head, body=body))


async def _admit(door: Endpoint, head: IntakeRequest) -> str | IntakeResponse:
    """Ask for the sender, in a thread where the database must be asked: this one must never wait."""
    try:
        is_quick = is_remembered(door.key(head))
    except IntakeError as error:
        return door.refuse(error)
    if is_quick:
        return admit(door, head)
    return await asyncio.get_running_loop().run_in_executor(asking, _admit_in_thread, door, head)


def _admit_in_thread(door: Endpoint, head: IntakeRequest) -> str | IntakeResponse:
    close_old_connections()
    return admit(door, head)


def _incoming(scope: Scope, body: bytes) -> IntakeRequest:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    address = (scope.get("client") or ("",))[0]
    return IntakeRequest(
        scope["method"], scope["path"], headers, body, scope["query_string"].decode("latin-1"), address
    )


def _limit(scope: Scope) -> int:
    if header(scope, b"content-type").lower().startswith(b"multipart/form-data"):
        return MAX_UPLOAD_BYTES
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


async def send_problem(send: Send, error: DomainError) -> None:
    """Answer with a problem document, without Django."""
    request_id = uuid.uuid4().hex
    body = to_json(problem(error.status, error.message, code=error.code, title=error.title, request_id=request_id))
    headers = [
        (b"x-request-id", request_id.encode()),
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if error.status == 401:
        headers.append((b"www-authenticate", CREDENTIALS.encode()))
    await _send(send, error.status, headers, body)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    if status == RequestTimeout.status:
        headers.append((b"connection", b"close"))  # where the next request would begin nobody knows
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse_protocol(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    else:
        raise RuntimeError(f"This application does not speak {scope['type']}.")

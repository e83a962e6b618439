"""Where each request enters: its body is taken in, then it goes to a thread, to the committer or to the event loop.

Django's own ASGI handler starts an executor thread for every request of a synchronous view, which costs more than the
view. So ordinary requests go to a fixed pool of threads that run Django's WSGI handler. What senders post to the doors
of intake goes to the committer, past Django's middleware and views. Only what is asynchronous by nature, the paths in
`ASYNC_PREFIXES`, goes to the ASGI handler. Django must be set up before this is imported.
"""

import uuid

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.urls import get_resolver

from alerts.incoming import MAX_BYTES, Incoming, IntakeError, Reply
from alerts.intake import Door, find
from alerts.intake.committer import committer
from incident_response.api import problem, to_json
from incident_response.bodies import Budget, ClientGone, Receive, Scope, Send, header, read_body, take_body
from incident_response.bridge import ThreadedApplication
from incident_response.exceptions import Busy, DomainError

# Paths of asynchronous views: streams that stay open.
ASYNC_PREFIXES: tuple[str, ...] = ()

FORM_OVERHEAD_BYTES = 1024 * 1024  # what a multipart form may hold besides its files
MAX_UPLOAD_BYTES = settings.MAX_ATTACHMENT_BYTES * settings.MAX_ATTACHMENTS + FORM_OVERHEAD_BYTES

# What senders may have in the memory of this process, from its first byte to its answer.
intake_budget = Budget(128 * 1024 * 1024)

asynchronous = ASGIHandler()
threaded = ThreadedApplication(WSGIHandler(), settings.WEB_THREADS)


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
    try:
        body, size = await take_body(scope, receive, _limit(scope))
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


async def _take_in(door: Door, scope: Scope, receive: Receive, send: Send) -> None:
    """Intake uses neither Django's middleware nor its views."""
    try:
        reply = await _reply(door, scope, receive)
    except DomainError as error:
        reply = door.refuse(IntakeError(error.message, status=error.status, retry_after=error.retry_after or 0))
    except (ClientGone, TimeoutError):
        return
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    headers += [(b"content-type", reply.media_type.encode()), (b"content-length", str(len(reply.body)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _reply(door: Door, scope: Scope, receive: Receive) -> Reply:
    """The body ends with this call: a client that reads slowly keeps it from nobody."""
    with intake_budget.share() as take:
        body = await read_body(scope, receive, MAX_BYTES, take)
        return await committer.answer(door, _incoming(scope, body))


def _incoming(scope: Scope, body: bytes) -> Incoming:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    address = (scope.get("client") or ("",))[0]
    return Incoming(scope["method"], scope["path"], headers, body, scope["query_string"].decode("latin-1"), address)


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
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse_protocol(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
    else:
        raise RuntimeError(f"This application does not speak {scope['type']}.")

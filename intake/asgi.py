"""Intake on the event loop, past Django's middleware and views."""

import asyncio
from dataclasses import replace
from functools import partial

from django.db import close_old_connections

from core.errors import DomainError
from core.server.bodies import MEGABYTE, ASGIApplication, Budget, Receive, Scope, Send, read_body
from core.server.callers import asking, network_of, strangers_budget
from core.server.responses import request_id_from, send_response
from intake.committer import committer
from intake.endpoints import PROBLEM, Endpoint, find, identified
from intake.requests import MAX_BYTES, IntakeError, IntakeRequest, IntakeResponse
from intake.services.sources import is_cached
from intake.serving import admit

# Bodies of known senders in memory.
intake_budget = Budget(96 * MEGABYTE)
# twice PagerDuty's own limit
UNKNOWN_SENDER_BYTES = MEGABYTE


def find_endpoint(method: str, path: str) -> ASGIApplication | None:
    """Return what serves senders at a path; None for none."""
    endpoint = find(method, path)
    return partial(_serve, endpoint) if endpoint is not None else None


async def _serve(endpoint: Endpoint, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        response = await _respond(endpoint, scope, receive)
    except DomainError as error:
        response = endpoint.refuse(IntakeError(error.message, status=error.status, retry_after=error.retry_after or 0))
    if response.media_type == PROBLEM:
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        response = identified(response, request_id_from(given))
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
    headers += [(b"content-type", response.media_type.encode()), (b"content-length", str(len(response.body)).encode())]
    await send_response(send, response.status, headers, response.body)


async def _respond(endpoint: Endpoint, scope: Scope, receive: Receive) -> IntakeResponse:
    # a slow reader holds no body
    head = _head_of(scope, b"")
    if endpoint.is_key_in_body(head):
        budget, sender, limit = strangers_budget, network_of(scope), UNKNOWN_SENDER_BYTES
    else:
        admitted = await _admit(endpoint, head)
        if isinstance(admitted, IntakeResponse):
            return admitted
        budget, sender, limit = intake_budget, admitted, MAX_BYTES
    with budget.share(sender) as share:
        body = await read_body(scope, receive, limit, share)
        return await committer.answer(endpoint, replace(head, body=body))


async def _admit(endpoint: Endpoint, head: IntakeRequest) -> str | IntakeResponse:
    # on a thread where the database must be asked
    try:
        is_quick = is_cached(endpoint.key(head))
    except IntakeError as error:
        return endpoint.refuse(error)
    if is_quick:
        return admit(endpoint, head)
    return await asyncio.get_running_loop().run_in_executor(asking, _admit_in_thread, endpoint, head)


def _admit_in_thread(endpoint: Endpoint, head: IntakeRequest) -> str | IntakeResponse:
    close_old_connections()
    return admit(endpoint, head)


def _head_of(scope: Scope, body: bytes) -> IntakeRequest:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    address = (scope.get("client") or ("",))[0]
    return IntakeRequest(
        scope["method"], scope["path"], headers, body, scope["query_string"].decode("latin-1"), address
    )

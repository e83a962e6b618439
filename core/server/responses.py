import re
import uuid

from core.api.jsonio import to_json
from core.api.problems import CREDENTIALS, problem
from core.errors import DomainError, RequestTimeout
from core.server.bodies import Send

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id_from(given: str) -> str:
    """Return a proxy's request id if well-formed, else a new one."""
    return given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex


async def send_problem(send: Send, error: DomainError) -> None:
    """Send an error as a problem document."""
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
    await send_response(send, error.status, headers, body)


async def send_response(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send a whole response."""
    if status == RequestTimeout.status:
        headers.append((b"connection", b"close"))  # the next request's start is unknown
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""`GET /live/` on the event loop, past Django's threads."""

from urllib.parse import parse_qs

from django.conf import settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from console.live.hub import Hub
from core.errors import DomainError, NotSignedIn
from core.server.bodies import ASGIApplication, Receive, Scope, Send, header
from core.server.responses import send_problem

PATHS = ("/live/", "/live")
LONGEST_NUMBER = 18  # digits

_hub: Hub | None = None


def find_endpoint(method: str, path: str) -> ASGIApplication | None:
    return serve if method == "GET" and path in PATHS else None


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Stream what the signed-in person may see."""
    try:
        stream = await hub().join(session_key_of(scope), place_of(scope), number(asked(scope, "person")))
    except DomainError as error:
        await send_problem(send, error)
        return
    try:
        await stream.run(receive, send)
    finally:
        hub().leave(stream)


def hub() -> Hub:
    """Return this process's hub."""
    global _hub
    if _hub is None:
        _hub = Hub()
    return _hub


def stop() -> None:
    if _hub is not None:
        _hub.stop()


def position() -> int | None:
    """Return how far this process's tailer has read the feed, if one runs; from any thread."""
    return _hub.reader.position if _hub is not None else None


def session_key_of(scope: Scope) -> str:
    """Return the session's key. Raises DomainError for a foreign host, NotSignedIn without a cookie."""
    domain, _port = split_domain_port(header(scope, b"host").decode("latin-1"))
    if not validate_host(domain, settings.ALLOWED_HOSTS):
        raise DomainError("This server does not answer for that host.", code="unknown_host")
    key = parse_cookie(header(scope, b"cookie").decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")
    if not key:
        raise NotSignedIn("Sign in first: this is a stream of what you may see.")
    return key


def place_of(scope: Scope) -> int | None:
    """Return the place in the feed to go on from; -1, which is always too far back, for one that is no number."""
    said = header(scope, b"last-event-id").decode("latin-1").strip() or asked(scope, "after")
    if not said:
        return None
    found = number(said)
    return -1 if found is None else found


def asked(scope: Scope, name: str) -> str:
    values: list[str] = parse_qs(str(scope["query_string"], "latin-1")).get(name, [""])
    return values[-1]


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER else None

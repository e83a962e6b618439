"""The page's files for both servers: on the event loop, and under WSGI."""

import datetime as dt
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from core.server.bodies import ASGIApplication, Receive, Scope, Send, header
from core.server.responses import send_response
from status_page.addresses import PATH, page_url
from status_page.serving import HEADERS, Reply, Request, answer

PREFIX = f"/{PATH}"
FORMS = ("subscribe", "confirm", "manage", "unsubscribe")  # views of Django
OUTER = "status_prefix"  # in a scope, and in Django's META: what the page's own host has instead


def is_served(method: str, path: str) -> bool:
    """Return whether a path of this server is of the files."""
    if method not in ("GET", "HEAD") or not path.startswith(PREFIX[:-1]):
        return False
    return path == PREFIX[:-1] or (path.startswith(PREFIX) and path.split("/")[2] not in FORMS)


def find_endpoint(method: str, path: str) -> ASGIApplication | None:
    return serve if is_served(method, path) else None


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer on the event loop."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    reply = respond(
        scope["method"], scope.get("scheme", "http"), scope["path"], query, headers, scope.get(OUTER, PREFIX)
    )
    sent = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    sent.append((b"content-length", str(len(reply.body)).encode()))
    await send_response(send, reply.status, sent, b"" if scope["method"] == "HEAD" else reply.body)


def respond(method: str, scheme: str, path: str, query: str, headers: Mapping[str, str], prefix: str = PREFIX) -> Reply:
    """Return the response at a path of this server; `prefix` is what stands before it at the host that was asked."""
    is_secure = _is_secure(scheme, headers)
    if settings.SECURE_SSL_REDIRECT and not is_secure:
        return _to_https(headers.get("host", ""), path, query, prefix)
    if path == PREFIX[:-1]:
        return Reply(301, {**HEADERS, "Location": PREFIX})
    request = Request(method, path.removeprefix(PREFIX), query, headers, prefix)
    reply = answer(request, dt.datetime.now(dt.UTC))
    return Reply(reply.status, {**reply.headers, **_transport_headers(is_secure)}, reply.body)


def own_host() -> tuple[str, str] | None:
    """Return the host that is the page's alone, and the path where it stands there."""
    if not settings.STATUS_URL:
        return None
    own, public = urlsplit(page_url()), urlsplit(settings.PUBLIC_URL)
    return (own.hostname or "", own.path or "/") if own.hostname != public.hostname else None


def locate(host: str, path: str) -> tuple[str, str] | None:
    """Return where this server has what is asked of the page's own host, and the prefix there; None elsewhere."""
    own = own_host() if settings.STATUS_URL else None
    if own is None or split_domain_port(host)[0] != own[0] or path.startswith(settings.STATIC_URL):
        return None
    inside = path.removeprefix(own[1]) if path.startswith(own[1]) else path.lstrip("/") or "404.html"
    return f"{PREFIX}{inside}", own[1]


def relocate(scope: Scope) -> Scope:
    """Return the scope as if the page's own host were this server's."""
    found = locate(header(scope, b"host").decode("latin-1"), scope["path"]) if settings.STATUS_URL else None
    if found is None:
        return scope
    path, prefix = found
    return {**scope, "path": path, "raw_path": quote(path).encode(), OUTER: prefix, "environ": {OUTER: prefix}}


def _is_secure(scheme: str, headers: Mapping[str, str]) -> bool:
    if settings.SECURE_PROXY_SSL_HEADER:
        name, value = settings.SECURE_PROXY_SSL_HEADER
        said = headers.get(name.removeprefix("HTTP_").replace("_", "-").lower())
        if said is not None:
            return said.split(",")[0].strip() == value
    return scheme == "https"


def _to_https(host: str, path: str, query: str, prefix: str) -> Reply:
    domain, _port = split_domain_port(host)
    if not validate_host(domain, settings.ALLOWED_HOSTS):
        return Reply(400, {**HEADERS, "Content-Type": "text/plain"}, b"This server does not answer for that host.\n")
    inside = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
    target = f"https://{host}{prefix}{quote(inside)}{'?' + quote(query, safe='=&%+') if query else ''}"
    return Reply(301, {**HEADERS, "Location": target})


def _transport_headers(is_secure: bool) -> dict[str, str]:
    if not (is_secure and settings.SECURE_HSTS_SECONDS):
        return {}
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    parts += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
    parts += ["preload"] if settings.SECURE_HSTS_PRELOAD else []
    return {"Strict-Transport-Security": "; ".join(parts)}

"""Answer requests for the page from its files: no database, no session, no thread."""

import datetime as dt
import gzip
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote

import orjson
from django.conf import settings
from django.utils.translation.trans_real import parse_accept_lang_header

from status_page import access

STALE = dt.timedelta(minutes=10)
MANIFEST = "manifest.json"
MARKER = b"<!--stale-->"
KEPT = 256  # files in memory
LEAST_GZIP = 512
LONGEST_QUERY = 2000
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".rss": "application/rss+xml; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
OPEN_ORIGIN = (".json", ".rss", ".atom")
ALWAYS_OPEN = (".css", ".svg")  # what the page that refuses needs
HASHED = ("page-", "favicon-", "logo-")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NOT_YET = b"The status page has not been written yet; try again in a minute.\n"


@dataclass(frozen=True)
class Request:
    """What is asked: `path` is below the page's root, `prefix` what stands before it; header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    prefix: str = "/status/"

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class File:
    """A file's bytes as they are sent, plain and compressed, with what names them."""

    content: bytes
    packed: bytes
    tag: str


@dataclass
class Site:
    """The files as the last manifest describes them."""

    root: Path
    stamp: tuple[int, int]
    manifest: dict[str, object]
    kept: dict[tuple[str, bool, str], File | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = self.manifest.get("files")
        self.files = frozenset(names) - {MANIFEST} if isinstance(names, list) else frozenset()
        languages = self.manifest.get("languages")
        self.languages: list[str] = languages if isinstance(languages, list) and languages else ["en"]
        self.updated_at = dt.datetime.fromisoformat(str(self.manifest["updated_at"]))
        self.is_private = bool(self.manifest.get("is_private", False))
        self.digest = str(self.manifest.get("access_digest", ""))

    def is_stale(self, now: dt.datetime) -> bool:
        return now - self.updated_at > STALE

    def file(self, name: str, *, is_stale: bool, prefix: str) -> File | None:
        """Return a listed file; with the banner, if it is stale."""
        key = (name, is_stale, prefix)
        if key not in self.kept:
            if len(self.kept) >= KEPT:
                self.kept.clear()
            content = read_file(self.root, name) if name in self.files else None
            self.kept[key] = None if content is None else _file(self._adapted(content, name, is_stale, prefix), name)
        return self.kept[key]

    def _adapted(self, content: bytes, name: str, is_stale: bool, prefix: str) -> bytes:
        if name.endswith(("404.html", "private.html")) and (root := str(self.manifest.get("root", prefix))) != prefix:
            content = content.replace(f'="{root}'.encode(), f'="{prefix}'.encode())
        if not is_stale:
            return content
        if name == "status.json":
            document = {**orjson.loads(content), "stale": True}
            return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        banners = self.manifest.get("stale")
        banner = banners.get(self.language_of(name), "") if isinstance(banners, dict) else ""
        return content.replace(MARKER, str(banner).encode(), 1)

    def language_of(self, name: str) -> str:
        """Return the language of a file."""
        parts = name.split("/")[0].split(".")
        named = parts[1] if len(parts) == 3 and parts[0] == "index" else parts[0]
        return named if named in self.languages else self.languages[0]

    def wanted(self, header: str) -> str:
        """Return the page's language that the reader prefers."""
        return preferred(header, self.languages)


def preferred(header: str, languages: Sequence[str]) -> str:
    """Return which of the languages an Accept-Language header asks for; the first, if none."""
    for asked, _weight in parse_accept_lang_header(header):
        for code in languages:
            if asked == code.lower():
                return code
        for code in languages:
            if asked.split("-")[0] == code.lower().split("-")[0]:
                return code
        if asked == "*":
            break
    return languages[0]


_site: Site | None = None


def current_site() -> Site | None:
    """Return the files as they are now; None where none were written."""
    global _site
    root = Path(settings.STATUS_ROOT)
    try:
        facts = (root / MANIFEST).stat()
        stamp = (facts.st_mtime_ns, facts.st_ino)
        if _site is None or _site.stamp != stamp or _site.root != root:
            manifest = orjson.loads((root / MANIFEST).read_bytes())
            _site = Site(root, stamp, manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return _site


def answer(request: Request, now: dt.datetime) -> Reply:
    """Return the response; never raises for what a stranger sends."""
    site = current_site()
    if site is None:
        headers = {"Content-Type": "text/plain; charset=utf-8", "Retry-After": "20", "Cache-Control": "no-store"}
        return Reply(503, HEADERS | headers, NOT_YET)
    name = request.path
    if site.is_private and (refusal := _gate(site, request, now)) is not None:
        return refusal
    language = ""
    if name in ("", "index.html"):
        language = site.wanted(request.header("accept-language")) if not name else site.languages[0]
        name = "index.html" if language == site.languages[0] else f"index.{language}.html"
    elif name.endswith("/"):
        name = f"{name}index.html"
    elif f"{name}/index.html" in site.files:
        return Reply(301, HEADERS | {"Location": f"{name.rsplit('/', 1)[-1]}/"})
    status = 200
    if name not in site.files or name.endswith(("404.html", "private.html")):
        status, name = 404, _localized(site, request, "404.html")
    return _send(site, request, name, status, now, is_negotiated=not request.path)


def _gate(site: Site, request: Request, now: dt.datetime) -> Reply | None:
    """Return what those get who may not see a private page; None lets a request pass."""
    if request.path.startswith(HASHED) and request.path.endswith(ALWAYS_OPEN):
        return None
    key, grant = _asked(request.query)
    is_let_in = access.is_key(key, site.digest) or access.is_grant(grant, site.digest, now)
    if is_let_in and request.path.endswith(OPEN_ORIGIN):
        return None
    if is_let_in:
        cookie = access.cookie(site.digest, now, path=request.prefix)
        place = f"./{quote(request.path.rsplit('/', 1)[-1])}"
        return Reply(303, HEADERS | {"Location": place, "Set-Cookie": cookie, "Cache-Control": "no-store"})
    if access.is_pass(access.pass_of(request.header("cookie")), site.digest, now):
        return None
    return _send(site, request, _localized(site, request, "private.html"), 403, now)


def _asked(query: str) -> tuple[str, str]:
    """Return key and grant of a query."""
    if len(query) > LONGEST_QUERY:
        return "", ""
    try:
        found = parse_qs(query, max_num_fields=20)
    except ValueError:
        return "", ""
    return found.get("key", [""])[-1], found.get("grant", [""])[-1]


def _localized(site: Site, request: Request, name: str) -> str:
    first = request.path.split("/")[0]
    language = first if first in site.languages else site.wanted(request.header("accept-language"))
    return f"{language}/{name}"


def _send(
    site: Site, request: Request, name: str, status: int, now: dt.datetime, *, is_negotiated: bool = False
) -> Reply:
    suffix = Path(name).suffix
    is_stale = site.is_stale(now) and suffix in (".html", ".json")
    file = site.file(name, is_stale=is_stale, prefix=request.prefix)
    if file is None:
        return Reply(503, HEADERS | {"Content-Type": "text/plain; charset=utf-8", "Retry-After": "20"}, NOT_YET)
    is_packed = bool(file.packed) and _takes_gzip(request.header("accept-encoding"))
    tag = f'"{file.tag}{"-gz" if is_packed else ""}"'
    headers = HEADERS | _headers(site, name, suffix, status) | {"Vary": _vary(site, is_negotiated, status)}
    if status == 200:
        headers["ETag"] = tag
        if tag in [one.strip().removeprefix("W/") for one in request.header("if-none-match").split(",")]:
            return Reply(304, {key: value for key, value in headers.items() if key != "Content-Type"})
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    return Reply(status, headers, file.packed if is_packed else file.content)


def _headers(site: Site, name: str, suffix: str, status: int) -> dict[str, str]:
    found = {"Content-Type": TYPES.get(suffix, "application/octet-stream"), "Cache-Control": "no-cache"}
    if site.is_private:
        found |= {"Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex, nofollow"}
    elif suffix in OPEN_ORIGIN:
        found["Access-Control-Allow-Origin"] = "*"
    if status == 200 and name.startswith(HASHED):
        found["Cache-Control"] = f"{'private' if site.is_private else 'public'}, max-age=31536000, immutable"
    if suffix == ".html":
        found["Content-Language"] = site.language_of(name)
    return found


def _vary(site: Site, is_negotiated: bool, status: int) -> str:
    names = ["Accept-Encoding"]
    if is_negotiated or status != 200:
        names.append("Accept-Language")
    return ", ".join([*names, "Cookie"] if site.is_private else names)


def _takes_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        name, _semicolon, weight = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _file(content: bytes, name: str) -> File:
    is_text = not name.endswith(".png") and len(content) >= LEAST_GZIP
    packed = gzip.compress(content, 6, mtime=0) if is_text else b""
    return File(content, packed, hashlib.sha256(content).hexdigest()[:32])


def read_file(root: Path, name: str) -> bytes | None:
    """Return a file's bytes; None where it is no plain file within the root."""
    path = root / name
    try:
        if not path.parent.resolve(strict=True).is_relative_to(root.resolve()):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()
    except (OSError, ValueError):
        return None

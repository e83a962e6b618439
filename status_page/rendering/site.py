"""All files of the page."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from status_page.rendering import pages
from status_page.rendering.contexts import Context
from status_page.rendering.document import status_json
from status_page.rendering.editions import Edition, Files, iso
from status_page.rendering.feeds import feeds
from status_page.rendering.snapshot import Page, Snapshot

MANIFEST = "manifest.json"
SCHEMA = 1
STYLE = "static/status_page/page.css"
ICON = "static/favicon.svg"


def render(snapshot: Snapshot, now: dt.datetime) -> dict[str, bytes]:
    """Return each file's bytes by its path, the manifest last."""
    names, found = assets(snapshot.page)
    months = pages.by_month(snapshot)
    main = snapshot.page.languages[0]
    for language, folder in [(main, ""), *((code, f"{code}/") for code in snapshot.page.languages)]:
        found |= dict(_edition(snapshot, names, months, language, folder))
        found |= feeds(snapshot, language, folder)
        path = f"{folder}index.html"
        found[path] = pages.index(snapshot, Edition(snapshot.page, names, language, folder, path), now)
    for language in snapshot.page.languages[1:]:
        edition = Edition(snapshot.page, names, language, f"{language}/", f"index.{language}.html")
        found[edition.path] = pages.index(snapshot, edition, now)
    found["status.json"] = status_json(snapshot, now)
    found[MANIFEST] = manifest(snapshot, names, found, now)
    return found


def assets(page: Page) -> tuple[Files, dict[str, bytes]]:
    """Return what pages link to, by names that change with the content."""
    style, icon, logo = stylesheet(), icon_bytes(), page.logo
    names = Files(
        style=f"page-{_digest(style)}.css",
        icon=f"favicon-{_digest(icon)}.svg",
        logo=f"logo-{_digest(logo)}.png" if logo else "",
    )
    found = {names.style: style, names.icon: icon}
    return names, {**found, names.logo: logo} if logo else found


def _edition(
    snapshot: Snapshot, names: Files, months: pages.Months, language: str, folder: str
) -> Iterator[tuple[str, bytes]]:
    """Yield what a language has beside the first page and the feeds."""
    page = snapshot.page
    for one in snapshot.announcements:
        edition = Edition(page, names, language, folder, f"{folder}incidents/{one.uid}.html")
        yield edition.path, pages.announcement_page(edition, one)
    yield from pages.history(snapshot, months, names, language, folder)
    root = urlsplit(page.url).path or "/"
    for template, name in (("missing", "404.html"), ("private", "private.html")):
        yield f"{folder}{name}", pages.simple(template, Edition(page, names, language, folder, name, root))
    if page.takes_subscribers:
        path = f"{folder}subscribe.html"
        edition = Edition(page, names, language, folder, path)
        yield path, pages.simple("subscribe", edition, _choices(snapshot, edition))


def _choices(snapshot: Snapshot, edition: Edition) -> Context:
    groups = [
        {
            "name": edition.text(group.name) if group.name else "",
            "components": [{"id": one.id, "name": edition.text(one.name)} for one in group.components],
        }
        for group in snapshot.groups
        if group.components
    ]
    return {"groups": groups, "action": f"{edition.up}subscribe/"}


def manifest(snapshot: Snapshot, names: Files, found: dict[str, bytes], now: dt.datetime) -> bytes:
    """Return what the server needs to know of the files."""
    page = snapshot.page
    banners = {
        language: pages.stale_banner(Edition(page, names, language, "", "index.html"), now)
        for language in page.languages
    }
    return orjson.dumps(
        {
            "schema": SCHEMA,
            "revision": page.revision,
            "updated_at": iso(now),
            "url": page.url,
            "is_private": page.is_private,
            "access_digest": page.access_digest,
            "languages": page.languages,
            "root": urlsplit(page.url).path or "/",
            "style": names.style,
            "stale": banners,
            "files": sorted(found),
        },
        option=orjson.OPT_INDENT_2,
    )


@cache
def stylesheet() -> bytes:
    return (Path(settings.BASE_DIR) / STYLE).read_bytes()


@cache
def icon_bytes() -> bytes:
    return (Path(settings.BASE_DIR) / ICON).read_bytes()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]

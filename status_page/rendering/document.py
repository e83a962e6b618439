"""`status.json`: the page for programs."""

import datetime as dt

import orjson

from status_page.rendering.contexts import uptimes_of
from status_page.rendering.editions import iso
from status_page.rendering.snapshot import Announcement, Component, Snapshot, Text
from status_page.rendering.uptime import Uptime

Document = dict[str, object]


def status_json(snapshot: Snapshot, now: dt.datetime) -> bytes:
    """Return the document; what is in other languages stands under `translations` by code."""
    page = snapshot.page
    uptimes = uptimes_of(snapshot.components, page.time_zone, now)
    return dumped(
        {
            "page": {
                "name": page.name.main,
                "url": page.url,
                "languages": page.languages,
                "time_zone": page.time_zone,
                "translations": _translations(name=page.name),
            },
            "status": snapshot.status.value,
            "components": [
                _component(component, group.name, uptimes.get(component.id))
                for group in snapshot.groups
                for component in group.components
            ],
            "incidents": [_announcement(one, page.url) for one in snapshot.incidents],
            "maintenance": [_announcement(one, page.url) for one in snapshot.maintenance],
            "updated_at": iso(now),
            "stale": False,
        }
    )


def dumped(document: Document) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _component(component: Component, group: Text | None, uptime: Uptime | None) -> Document:
    return {
        "id": component.id,
        "name": component.name.main,
        "group": group.main if group else None,
        "status": component.status.value,
        "uptime_90d": round(uptime.percent, 4) if uptime and uptime.percent is not None else None,
        "translations": _translations(name=component.name),
    }


def _announcement(one: Announcement, url: str) -> Document:
    return {
        "id": one.uid,
        "title": one.title.main,
        "impact": one.impact.value,
        "state": one.state.value,
        "components": one.component_ids,
        "starts_at": iso(one.starts_at),
        "ends_at": iso(one.ends_at) if one.ends_at else None,
        "url": f"{url}incidents/{one.uid}.html",
        "translations": _translations(title=one.title),
        "updates": [
            {
                "id": update.id,
                "state": update.state.value,
                "message": update.message.main,
                "at": iso(update.at),
                "corrected_at": iso(update.corrected_at) if update.corrected_at else None,
                "translations": _translations(message=update.message),
            }
            for update in one.updates
        ],
    }


def _translations(**texts: Text) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, text in texts.items():
        for code, said in text.others:
            found.setdefault(code, {})[name] = said
    return found

"""Plain values for tests of what is written."""

import datetime as dt
from typing import Any

from status_page.rendering.snapshot import Announcement, Component, Group, Page, Snapshot, Span, Text, Update
from status_page.vocabulary import Impact, Kind, State

NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
HOSTILE = "</title><script>alert(1)</script> \" ' & ]]> <!--stale--> \x00\x0b"


def ago(**span: float) -> dt.datetime:
    return NOW - dt.timedelta(**span)


def text(main: str, german: str = "") -> Text:
    return Text(main, (("de", german),) if german else ())


def component(number: int = 1, *spans: Span, **values: Any) -> Component:
    return Component(**{"id": number, "name": text("Website", "Webseite"), "spans": spans, **values})


def announcement(**values: Any) -> Announcement:
    shown = {
        "uid": "a1",
        "kind": Kind.INCIDENT,
        "title": text("Checkout fails", "Kasse gestört"),
        "impact": Impact.PARTIAL_OUTAGE,
        "state": State.INVESTIGATING,
        "starts_at": ago(hours=1),
        "components": (text("Website", "Webseite"),),
        "component_ids": (1,),
        "updates": (Update(1, State.INVESTIGATING, text("We look into it.", "Wir sehen nach."), ago(hours=1)),),
    }
    return Announcement(**{**shown, **values})


def snapshot(*announcements: Announcement, components: tuple[Component, ...] = (), **page: Any) -> Snapshot:
    shown = {
        "name": text("Acme status", "Acme-Status"),
        "languages": ("en", "de"),
        "time_zone": "Europe/Zurich",
        "url": "https://acme.example/status/",
        **page,
    }
    return Snapshot(Page(**shown), (Group(None, components or (component(),)),), announcements)

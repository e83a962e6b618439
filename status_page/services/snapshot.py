"""Read everything that the page shows, in a constant number of queries."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q, prefetch_related_objects

from status_page.addresses import page_url
from status_page.models import Component, ComponentGroup, ImpactSpan, PublicIncident, PublicUpdate, StatusPage
from status_page.rendering import snapshot as shown
from status_page.rendering.uptime import DAYS
from status_page.services.page import languages_of
from status_page.vocabulary import Impact, Kind, State

HISTORY = 1000  # ended announcements that keep a page of their own


def read_snapshot(page: StatusPage, now: dt.datetime) -> shown.Snapshot:
    """Return what the page shows now. Read `page` first: what is changed meanwhile has a later revision."""
    whole = page_as_shown(page)
    return shown.Snapshot(whole, _groups(whole.languages, now), _announcements(whole.languages))


def page_as_shown(page: StatusPage) -> shown.Page:
    """Return how the page presents itself, as plain values."""
    languages = tuple(languages_of(page))
    return shown.Page(
        name=_text(page, "name", languages),
        about=_text(page, "about", languages),
        support_url=page.support_url,
        logo=bytes(page.logo),
        languages=languages,
        time_zone=page.time_zone,
        is_private=page.is_private,
        access_digest=page.access_digest,
        takes_subscribers=page.takes_subscribers,
        url=page_url(),
        access_url=f"{settings.PUBLIC_URL.rstrip('/')}/status-access/",
        revision=page.revision,
    )


def _groups(languages: tuple[str, ...], now: dt.datetime) -> tuple[shown.Group, ...]:
    """Return groups in their order, then what belongs to none."""
    spans = _spans(now)
    members: dict[int | None, list[shown.Component]] = defaultdict(list)
    for row in Component.objects.active().order_by("position", "id"):
        members[row.group_id].append(_component(row, languages, spans[row.pk]))
    named = [
        shown.Group(_text(group, "name", languages), tuple(members[group.pk]))
        for group in ComponentGroup.objects.order_by("position", "id")
        if members[group.pk]
    ]
    return (*named, shown.Group(None, tuple(members[None]))) if members[None] else tuple(named)


def _spans(now: dt.datetime) -> dict[int, list[shown.Span]]:
    found: dict[int, list[shown.Span]] = defaultdict(list)
    since = now - dt.timedelta(days=DAYS + 1)
    rows = ImpactSpan.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since), began_at__lte=now)
    for component, impact, began, ended in rows.values_list("component_id", "impact", "began_at", "ended_at"):
        found[component].append(shown.Span(Impact(impact), began, ended))
    return found


def _component(row: Component, languages: tuple[str, ...], spans: list[shown.Span]) -> shown.Component:
    return shown.Component(
        id=row.pk,
        name=_text(row, "name", languages),
        description=_text(row, "description", languages),
        shows_uptime=row.shows_uptime,
        created_at=row.created_at,
        spans=tuple(spans),
    )


def _announcements(languages: tuple[str, ...]) -> tuple[shown.Announcement, ...]:
    ended = PublicIncident.objects.exclude(ended_at=None).order_by("-starts_at", "-pk")[:HISTORY]
    rows = [*PublicIncident.objects.open(), *ended]
    updates = PublicUpdate.objects.defer("earlier").order_by("at", "pk")
    components = Component.objects.order_by("position", "pk")
    prefetch_related_objects(rows, Prefetch("updates", updates), Prefetch("components", components))
    rows.sort(key=lambda row: (row.starts_at, row.pk), reverse=True)
    return tuple(_announcement(row, languages) for row in rows)


def _announcement(row: PublicIncident, languages: tuple[str, ...]) -> shown.Announcement:
    components = list(row.components.all())
    return shown.Announcement(
        uid=row.uid,
        kind=Kind(row.kind),
        title=_text(row, "title", languages),
        impact=Impact(row.impact),
        state=State(row.state),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        components=tuple(_text(one, "name", languages) for one in components),
        component_ids=tuple(one.pk for one in components),
        updates=tuple(_update(update, languages) for update in reversed(row.updates.all())),
        review=_text(row, "review", languages) if row.review_published_at else shown.Text(""),
    )


def _update(row: PublicUpdate, languages: tuple[str, ...]) -> shown.Update:
    return shown.Update(
        id=row.pk,
        state=State(row.state),
        message=_text(row, "message", languages),
        at=row.at,
        corrected_at=row.corrected_at,
    )


def _text(row: Any, field: str, languages: Iterable[str]) -> shown.Text:
    translations: Mapping[str, Mapping[str, str]] = row.translations or {}
    others = ((code, translations.get(code, {}).get(field, "")) for code in list(languages)[1:])
    return shown.Text(getattr(row, field), tuple((code, text) for code, text in others if text))


def note_written(page: StatusPage, revision: int, now: dt.datetime) -> None:
    """Record of which revision the files are."""
    StatusPage.objects.filter(pk=page.pk).update(written_revision=revision, written_at=now)

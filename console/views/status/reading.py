"""What the pages about the status page read."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import F, Prefetch, Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from console.forms.status.texts import language_name
from core.errors import DomainError, NotFound
from incidents.models import Incident
from status_page.models import Component, PublicIncident, PublicUpdate, StatusPage
from status_page.permissions import require_publisher
from status_page.services.components import statuses
from status_page.services.page import languages_of
from status_page.serving import STALE
from status_page.vocabulary import RANK, Impact, Kind, State
from users.models import User

MOST_OPEN = 100


@dataclass
class Shown:
    """A group of components with what the public sees of each."""

    name: str
    components: list[tuple[Component, Impact]] = field(default_factory=list)


@dataclass(frozen=True)
class Edition:
    """A text as readers of one language see it."""

    code: str
    language: str
    title: str
    message: str
    state: str
    impact: str
    components: list[str]
    lacks: bool  # it is in the main language, for want of another


def announcement_of(pk: int) -> PublicIncident:
    """Return an announcement with its components. Raises NotFound."""
    rows = PublicIncident.objects.select_related("incident", "created_by")
    found = rows.prefetch_related("components").filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise NotFound(_("There is no announcement %(id)s; it may have been withdrawn.") % {"id": pk})
    return found


def incident_behind(announcement: PublicIncident, viewer: User) -> Incident | None:
    """Return the incident that it is about, if the viewer sees it."""
    if announcement.incident_id is None:
        return None
    return Incident.objects.visible_to(viewer).filter(pk=announcement.incident_id).order_by().first()


def may_publish(viewer: User, incident: Incident | None) -> bool:
    """Return whether the viewer may tell the public of the incident."""
    try:
        require_publisher(viewer, incident)
    except DomainError:
        return False
    return True


def page_components(kept: Collection[int] = ()) -> list[Component]:
    """Return the components on the page in their order, and those kept."""
    rows = Component.objects.select_related("group").filter(Q(is_active=True) | Q(pk__in=kept))
    return list(rows.order_by(F("group__position").asc(nulls_first=True), "group_id", "position", "pk"))


def shown_groups(components: Iterable[Component]) -> list[Shown]:
    """Return the components by group with their state."""
    states = statuses()
    groups: dict[int | None, Shown] = {}
    for one in components:
        group = groups.setdefault(one.group_id, Shown(one.group.name if one.group else ""))
        group.components.append((one, states.get(one.pk, Impact.OPERATIONAL)))
    return list(groups.values())


def worst_of(groups: Iterable[Shown]) -> Impact:
    """Return the state of the page as a whole."""
    present = [impact for group in groups for _component, impact in group.components]
    return max(present, key=RANK.__getitem__, default=Impact.OPERATIONAL)


def open_announcements() -> list[PublicIncident]:
    """Return what has not ended with components and the last update; the last begun first."""
    rows = PublicIncident.objects.open().prefetch_related("components")
    return with_last_update(rows.order_by("-starts_at", "-pk")[:MOST_OPEN])


def with_last_update(rows: Iterable[PublicIncident]) -> list[PublicIncident]:
    """Give each its `last` update; one query."""
    found = list(rows)
    last = {
        update.public_incident_id: update
        for update in PublicUpdate.objects.filter(public_incident__in=[row.pk for row in found]).order_by("at", "pk")
    }
    for row in found:
        row.last = last.get(row.pk)  # type: ignore[attr-defined]
    return found


def publications_of(incident: Incident, most: int = 5) -> list[PublicIncident]:
    """Return what was published about an incident, the newest first, each with its last update."""
    return with_last_update(PublicIncident.objects.filter(incident=incident).order_by("-starts_at", "-pk")[:most])


def with_updates(incident: Incident) -> list[PublicIncident]:
    """Return what was published about an incident with all updates."""
    updates = Prefetch("updates", PublicUpdate.objects.select_related("by").order_by("-at", "-pk"))
    return list(PublicIncident.objects.filter(incident=incident).prefetch_related(updates))


def disagreement(incident: Incident, published: Iterable[PublicIncident]) -> str:
    """Return "open" if the public still sees open what is over, "ended" if it is the other way round, or ""."""
    incidents = [one for one in published if one.kind == Kind.INCIDENT]
    is_open_outside = any(one.ended_at is None for one in incidents)
    if incidents and not incident.is_still_open and is_open_outside:
        return "open"
    return "ended" if incidents and incident.is_still_open and not is_open_outside else ""


def editions(
    page: StatusPage,
    *,
    title: str,
    message: str,
    state: str,
    impact: str,
    components: Sequence[Component],
    translations: dict[str, Any],
) -> list[Edition]:
    """Return an announcement as the readers of each language see it."""
    main, *others = languages_of(page)
    found = []
    for code in (main, *others):
        texts = translations.get(code, {})
        with override(code):
            words = str(State(state).label), str(Impact(impact).label)
        names = [one.translations.get(code, {}).get("name") or one.name for one in components]
        lacks = code != main and not (texts.get("title") and texts.get("message"))
        found.append(
            Edition(
                code,
                language_name(code),
                texts.get("title") or title,
                texts.get("message") or message,
                *words,
                names,
                lacks,
            )
        )
    return found


def public_address(page: StatusPage, path: str = "") -> str:
    """Return where the page lies; where it is private, the way that lets signed-in people in."""
    if page.is_private:
        return "/status-access/"
    return f"{settings.STATUS_URL or '/status/'}{path}"


def lateness(page: StatusPage, now: dt.datetime) -> str:
    """Return "never", "late" or "" for when the files were last written."""
    if page.written_at is None:
        return "never"
    return "late" if now - page.written_at > STALE else ""

"""Whether a page still needs to be sent: asked in one place, at each send."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from core.db import rows
from core.text.sentences import Sentence
from incidents.models import Incident
from incidents.vocabulary import OPEN_STATUSES
from notifications.models import Delivery
from notifications.services.outbox import HORIZON
from notifications.vocabulary import PENDING, Kind, State
from paging.models import Page
from paging.pages import paused
from responders.models import Team

PAUSE = dt.timedelta(minutes=1)  # before a silence is asked about again
HELD_COLUMNS = ("state", "held_because", "next_attempt_at", "gives_up_at", "bundle", "bundle_count")
WITHDRAWN = Sentence("Withdrawn: no answer is needed any more.")
DELETED, NOT_OPEN = Sentence("The incident was deleted."), Sentence("The incident is %(status)s.")
PAUSED = Sentence("Paging is paused: %(why)s")


@dataclass(frozen=True)
class Causes:
    """The pages and incidents that deliveries are about, by id, as they are now."""

    pages: dict[int, Page]
    incidents: dict[int, Incident]


def causes_of(deliveries: Sequence[Delivery]) -> Causes:
    """Read them, in three queries."""
    pages = {row.page_id for row in deliveries if row.page_id is not None}
    incidents = {row.incident_id for row in deliveries if row.incident_id is not None}
    return Causes(rows.by_id(Page, pages), with_teams(rows.by_id(Incident, incidents)))


def with_teams(incidents: dict[int, Incident]) -> dict[int, Incident]:
    """Give incidents their teams, in one query."""
    teams = rows.by_id(Team, (incident.team_id for incident in incidents.values() if incident.team_id))
    for incident in incidents.values():
        incident.team = teams.get(incident.team_id or 0)
    return incidents


def reasons_against(deliveries: Sequence[Delivery], causes: Causes | None = None) -> dict[int, str]:
    """Return, by id, why pages must not be sent."""
    pages = [row for row in deliveries if row.kind == Kind.PAGE]
    known = causes or causes_of(pages)
    found = {
        row.pk: _reason(known.pages.get(row.page_id or 0), known.incidents.get(row.incident_id or 0)) for row in pages
    }
    return {number: reason for number, reason in found.items() if reason}


def _reason(page: Page | None, incident: Incident | None) -> str:
    if incident is None or incident.deleted_at is not None:
        return DELETED.say()
    if incident.status not in OPEN_STATUSES:
        return NOT_OPEN.say(status=incident.status)
    if page is None or page.answered_at is not None or page.cancelled_at is not None:
        return WITHDRAWN.say()
    return ""


def hold_paused(deliveries: Sequence[Delivery], causes: Causes, now: dt.datetime) -> list[Delivery]:
    """Hold escalations' pages for incidents that page nobody for now, such as by a silence; return them.

    They are sent when that ends. Pages by hand are not held.
    """
    pages = [row for row in deliveries if row.kind == Kind.PAGE and row.state in PENDING]
    steps = [row for row in pages if (page := causes.pages.get(row.page_id or 0)) and page.run_id is not None]
    reasons = paused({row.incident_id for row in steps if row.incident_id is not None}, now)
    held = [row for row in steps if row.incident_id in reasons]
    for row in held:
        row.state, row.held_because = State.HELD, PAUSED.say(why=reasons[row.incident_id or 0])[:200]
        row.next_attempt_at = now + PAUSE
        row.gives_up_at = row.next_attempt_at + HORIZON[Kind.PAGE]
        row.bundle = None
    if carriers := [row.pk for row in held if row.bundle_count]:
        Delivery.objects.pending().filter(bundle__in=carriers).update(bundle=None, next_attempt_at=now)
        for row in held:
            row.bundle_count = 0
    rows.update_many(held, HELD_COLUMNS)
    return held

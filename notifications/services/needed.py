"""Whether a page still needs to be sent: asked in one place, at each send."""

from collections.abc import Sequence
from dataclasses import dataclass

from incidents.models import Incident
from incidents.vocabulary import OPEN_STATUSES
from notifications.models import Delivery
from notifications.vocabulary import Kind
from paging.models import Page

WITHDRAWN = "Withdrawn: no answer is needed any more."


@dataclass(frozen=True)
class Causes:
    """The pages and incidents that deliveries are about, by id, as they are now."""

    pages: dict[int, Page]
    incidents: dict[int, Incident]


def causes_of(deliveries: Sequence[Delivery]) -> Causes:
    """Read them, in two queries."""
    pages = {row.page_id for row in deliveries if row.page_id is not None}
    incidents = {row.incident_id for row in deliveries if row.incident_id is not None}
    return Causes(Page.objects.in_bulk(pages), Incident.objects.select_related("team").in_bulk(incidents))


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
        return "The incident was deleted."
    if incident.status not in OPEN_STATUSES:
        return f"The incident is {incident.status}."
    if page is None or page.answered_at is not None or page.cancelled_at is not None:
        return WITHDRAWN
    return ""

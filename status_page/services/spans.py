"""Keep from when to when a public incident affected each component."""

import datetime as dt
from collections.abc import Collection

from status_page.models import ImpactSpan, PublicIncident
from status_page.vocabulary import Impact, State

NO_SPANS = (Impact.OPERATIONAL,)


def follow(row: PublicIncident, components: Collection[int], at: dt.datetime) -> None:
    """From this moment on, have the components affected as the row now says."""
    wanted = set(components) if affects(row) else set()
    for span in ImpactSpan.objects.filter(public_incident=row, ended_at=None):
        if span.component_id in wanted and span.impact == row.impact:
            wanted.discard(span.component_id)
        else:
            end(span, at)
    add(row, wanted, began_at=at)


def correct(row: PublicIncident, components: Collection[int], *, was: str) -> None:
    """Rewrite the past: these components were affected, and with the row's impact where the mistaken one stands."""
    spans = ImpactSpan.objects.filter(public_incident=row)
    spans.exclude(component__in=components).delete()
    if row.impact in NO_SPANS:
        spans.delete()
        return
    spans.filter(impact=was).update(impact=row.impact)
    if row.state != State.SCHEDULED and (row.ended_at is None or row.ended_at > row.starts_at):
        present = set(spans.values_list("component_id", flat=True))
        add(row, set(components) - present, began_at=row.starts_at, ended_at=row.ended_at)


def affects(row: PublicIncident) -> bool:
    """Return whether it affects its components now."""
    return row.ended_at is None and row.state != State.SCHEDULED and row.impact not in NO_SPANS


def end(span: ImpactSpan, at: dt.datetime) -> None:
    """End a span, or drop it if it would have lasted no time."""
    if at <= span.began_at:
        span.delete()
        return
    span.ended_at = at
    span.save(update_fields=["ended_at"])


def add(
    row: PublicIncident, components: Collection[int], *, began_at: dt.datetime, ended_at: dt.datetime | None = None
) -> None:
    """Add a span for each component."""
    ImpactSpan.objects.bulk_create(
        ImpactSpan(component_id=component, public_incident=row, impact=row.impact, began_at=began_at, ended_at=ended_at)
        for component in sorted(components)
    )

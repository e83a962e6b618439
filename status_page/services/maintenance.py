"""Plan maintenance, move it, and have it begin and end at the planned times."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from core.api.times import refuse_odd_year
from core.db import rows
from core.db.transactions import is_database_unavailable, unit_of_work
from core.errors import Conflict, DomainError
from incidents.actors import By, person
from incidents.models import Incident, Origin
from incidents.services.recording import lock_many
from status_page.models import Component, PublicIncident, PublicUpdate
from status_page.services import spans
from status_page.services.announcing import hold, lock_incident, record, save, set_state, write_update
from status_page.services.checking import MESSAGE, text_of, title_of, translations_of
from status_page.services.page import languages_of, other_languages, the_page
from status_page.services.publishing import split_translations, start
from status_page.vocabulary import Impact, Kind, State, StatusEventKind

log = structlog.get_logger(__name__)

BATCH = 50
STEPS = {State.SCHEDULED: State.IN_PROGRESS, State.IN_PROGRESS: State.COMPLETED}
SENTENCES = {
    State.SCHEDULED: gettext_lazy("The maintenance was moved to another time."),
    State.IN_PROGRESS: gettext_lazy("The maintenance has begun."),
    State.COMPLETED: gettext_lazy("The maintenance is complete."),
}


@unit_of_work
def plan(
    *,
    by: By,
    title: str,
    message: str,
    components: Iterable[Component | int],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    translations: Mapping[str, Any] | None = None,
    update_translations: Mapping[str, Any] | None = None,
    incident: Incident | None = None,
    tell: bool = True,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> PublicIncident:
    """Announce maintenance; it begins and ends by itself.

    Raises as `publish`, and DomainError for times that are over.
    """
    at = at or timezone.now()
    locked = lock_incident(incident, by)
    _require_times(starts_at, ends_at, at)
    titles, messages = split_translations(translations, update_translations)
    row = PublicIncident(
        uid=uuid.uuid4().hex,
        kind=Kind.MAINTENANCE,
        title=title_of(title),
        impact=Impact.MAINTENANCE,
        translations=titles,
        incident=locked,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=person(by),
        created_at=at,
    )
    set_state(row, State.SCHEDULED, at)
    return start(row, message, messages, components, by=by, incident=locked, tell=tell, origin=origin, at=at)


@unit_of_work
def move(
    public_incident: PublicIncident,
    *,
    by: By,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    message: str = "",
    translations: Mapping[str, Any] | None = None,
    tell: bool = True,
    expected_version: int | None = None,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> PublicIncident:
    """Give maintenance new times, and say so.

    Raises Conflict once it is complete, or for another beginning once it has begun.
    """
    held = hold(public_incident, by, expected_version=expected_version)
    at = at or timezone.now()
    row = held.row
    if row.kind != Kind.MAINTENANCE or row.ended_at is not None:
        raise Conflict(_("Only maintenance that is not complete can be moved."), code="has_ended")
    if row.state == State.IN_PROGRESS and starts_at not in (None, row.starts_at):
        raise Conflict(_("The maintenance has begun; only its end can be moved."), code="has_begun")
    row.starts_at, row.ends_at = starts_at or row.starts_at, ends_at or row.ends_at
    _require_times(row.starts_at, row.ends_at, at)
    set_state(row, State(row.state), at)
    text, messages = _sentence(State.SCHEDULED)
    if message.strip():
        text = text_of(message, MESSAGE["message"], "message")
        messages = translations_of(translations, MESSAGE, other_languages())
    write_update(row, text, messages, by=by, at=at, tell_at=at if tell else None)
    save(row, ["starts_at", "ends_at", "next_step_at"], by)
    record(held.incident, StatusEventKind.UPDATED, row, by=by, message=text, origin=origin, at=at)
    return row


def step_maintenance(now: dt.datetime) -> int:
    """Begin and complete what is due; return how many steps were taken."""
    due = PublicIncident.objects.filter(next_step_at__lte=now).order_by("next_step_at").values_list("pk", flat=True)
    return sum(_step(pk, now) for pk in list(due[:BATCH]))


def _step(pk: int, now: dt.datetime) -> int:
    """Take one announcement's steps; a faulty one must not block the others, but an unavailable database does."""
    try:
        return _take_steps(pk, now)
    except Exception as error:
        if is_database_unavailable(error):
            raise
        log.error("maintenance_not_stepped", public_incident=pk, exc_info=error)
        return 0


@unit_of_work
def _take_steps(pk: int, now: dt.datetime) -> int:
    number = PublicIncident.objects.filter(pk=pk).values_list("incident_id", flat=True).first()
    incident = lock_many([number]).get(number) if number is not None else None
    row = next(iter(rows.lock_available(PublicIncident.objects.filter(pk=pk, next_step_at__lte=now))), None)
    taken = 0
    while row is not None and row.next_step_at is not None and row.next_step_at <= now:
        _advance(row, incident, now)
        taken += 1
    return taken


def _advance(row: PublicIncident, incident: Incident | None, now: dt.datetime) -> None:
    """Take the next step at its planned time; subscribers are not told of a beginning whose end is over too."""
    planned = row.next_step_at or now
    set_state(row, STEPS[State(row.state)], planned)
    spans.follow(row, list(row.components.values_list("pk", flat=True)), planned)
    text, messages = _sentence(State(row.state))
    last = PublicUpdate.objects.filter(public_incident=row).order_by("-at").values_list("at", flat=True).first()
    is_over = row.next_step_at is not None and row.next_step_at <= now
    at = max(planned, last or planned)
    write_update(row, text, messages, by=None, at=at, tell_at=None if is_over else now)
    save(row, ["state", "ended_at", "next_step_at"], None)
    record(incident, StatusEventKind.UPDATED, row, by=None, message=text, origin=Origin.JOB, at=at)


def _sentence(state: State) -> tuple[str, dict[str, dict[str, str]]]:
    """Return what is said of a step, in the main language and in the others."""
    texts: dict[str, str] = {}
    for code in languages_of(the_page()):
        with override(code):
            texts[code] = str(SENTENCES[state])
    main, *others = texts
    return texts[main], {code: {"message": texts[code]} for code in others}


def _require_times(starts_at: dt.datetime, ends_at: dt.datetime | None, at: dt.datetime) -> None:
    if ends_at is None or ends_at <= starts_at:
        raise DomainError(_("Maintenance must end after it begins."), field="ends_at")
    refuse_odd_year("starts_at", starts_at)
    refuse_odd_year("ends_at", ends_at)
    if ends_at <= at:
        raise DomainError(_("The end must be in the future."), field="ends_at")

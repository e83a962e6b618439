"""Tell the public of incidents: publish, add updates, correct, withdraw."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.actor import acting
from core.api.times import refuse_odd_year
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, StaleVersion
from incidents.actors import By, person
from incidents.models import Incident, Origin
from status_page.models import Component, PublicIncident, PublicUpdate
from status_page.permissions import require_admin
from status_page.services import spans
from status_page.services.announcing import hold, lock_incident, next_state, record, save, set_state, write_update
from status_page.services.checking import (
    MESSAGE,
    REVIEW,
    TITLE,
    components_of,
    known,
    text_of,
    title_of,
    translations_of,
)
from status_page.services.page import changed, other_languages
from status_page.vocabulary import STATES, Impact, Kind, State, StatusEventKind

Components = Iterable[Component | int]
EDITABLE = ("title", "translations", "components", "impact")


@unit_of_work
def publish(
    *,
    by: By,
    title: str,
    message: str,
    impact: str,
    components: Components,
    state: str = State.INVESTIGATING,
    translations: Mapping[str, Any] | None = None,
    update_translations: Mapping[str, Any] | None = None,
    incident: Incident | None = None,
    starts_at: dt.datetime | None = None,
    tell: bool = True,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> PublicIncident:
    """Announce an incident with its first update; texts are in the page's main language.

    `translations` are {code: {"title": …, "message": …}}; messages may be in `update_translations` instead.
    Raises DomainError, PermissionRefused, and NotFound for an incident that the person does not see.
    """
    at = at or timezone.now()
    locked = lock_incident(incident, by)
    titles, messages = split_translations(translations, update_translations)
    row = PublicIncident(
        uid=uuid.uuid4().hex,
        kind=Kind.INCIDENT,
        title=title_of(title),
        impact=_impact(impact),
        translations=titles,
        incident=locked,
        starts_at=_begun(starts_at, at),
        created_by=person(by),
        created_at=at,
    )
    if state not in STATES[Kind.INCIDENT]:
        raise DomainError(
            _("The state is one of %(states)s.") % {"states": ", ".join(STATES[Kind.INCIDENT])}, field="state"
        )
    set_state(row, State(state), at)
    return start(row, message, messages, components, by=by, incident=locked, tell=tell, origin=origin, at=at)


def start(
    row: PublicIncident,
    message: str,
    messages: Mapping[str, Any],
    components: Components,
    *,
    by: By,
    incident: Incident | None,
    tell: bool,
    origin: str,
    at: dt.datetime,
) -> PublicIncident:
    """Write a new announcement, its first update, spans and timeline entry."""
    text = text_of(message, MESSAGE["message"], "message")
    chosen = components_of(components)
    with acting(person(by)):
        row.save(force_insert=True)
        row.components.set(chosen)
    if row.state != State.SCHEDULED and row.impact not in spans.NO_SPANS and row.starts_at < (row.ended_at or at):
        spans.add(row, [one.pk for one in chosen], began_at=row.starts_at, ended_at=row.ended_at)
    elif spans.affects(row):
        spans.follow(row, [one.pk for one in chosen], at)
    write_update(row, text, messages, by=by, at=at, tell_at=at if tell else None)
    record(incident, StatusEventKind.PUBLISHED, row, by=by, message=text, origin=origin, at=at)
    changed()
    return row


@unit_of_work
def add_update(
    public_incident: PublicIncident,
    *,
    by: By,
    message: str,
    state: str | None = None,
    impact: str | None = None,
    components: Components | None = None,
    translations: Mapping[str, Any] | None = None,
    tell: bool = True,
    expected_version: int | None = None,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> PublicUpdate:
    """Tell the public more; what is not given stays as it is. `translations` are {code: {"message": …}}.

    Another state than resolved reopens a resolved incident. Raises InvalidTransition for completed maintenance,
    Conflict for another impact or other components of one that has ended and stays so.
    """
    held = hold(public_incident, by, expected_version=expected_version)
    at = at or timezone.now()
    row, was_ended = held.row, held.row.ended_at is not None
    text = text_of(message, MESSAGE["message"], "message")
    messages = translations_of(translations, MESSAGE, other_languages())
    set_state(row, next_state(row, state), at)
    if was_ended and row.ended_at is not None and (impact is not None or components is not None):
        raise Conflict(_("It has ended: correct the announcement itself, or reopen it."), code="has_ended")
    if impact is not None:
        row.impact = _impact_of(row, impact)
    chosen = _set_components(row, components, by)
    spans.follow(row, chosen, at)
    update = write_update(row, text, messages, by=by, at=at, tell_at=at if tell else None)
    save(row, ["state", "impact", "ended_at", "next_step_at"], by)
    record(held.incident, StatusEventKind.UPDATED, row, by=by, message=text, origin=origin, at=at)
    return update


@unit_of_work
def correct_update(
    update: PublicUpdate,
    *,
    by: By,
    message: str,
    translations: Mapping[str, Any] | None = None,
    expected_version: int | None = None,
    origin: str = Origin.API,
    at: dt.datetime | None = None,
) -> PublicUpdate:
    """Replace the text of an update, keeping the earlier one; nobody is told. Raises StaleVersion.

    Without `translations`, they stay.
    """
    held = hold(update.public_incident, by)
    at = at or timezone.now()
    text = text_of(message, MESSAGE["message"], "message")
    row = PublicUpdate.objects.select_for_update().get(pk=update.pk)
    row.public_incident = held.row
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(
            _("The update was corrected by somebody else; reload it and repeat your change."), version=row.version
        )
    messages = translations_of(translations, MESSAGE, other_languages()) if translations is not None else None
    if messages is None:
        messages = row.translations
    if (text, messages) == (row.message, row.translations):
        return row
    before = {"message": row.message, "translations": row.translations, "until": at.isoformat()}
    row.earlier = [*row.earlier, before]
    row.message, row.translations, row.corrected_at = text, messages, at
    with acting(person(by)):
        row.save(update_fields=["message", "translations", "earlier", "corrected_at"])
    save(held.row, [], by)
    record(held.incident, StatusEventKind.UPDATED, held.row, by=by, message=text, origin=origin, at=at, corrects=row.pk)
    return row


@unit_of_work
def edit(
    public_incident: PublicIncident,
    *,
    by: By,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> PublicIncident:
    """Correct title, translations of it, components or impact, as if they had been so from the start; nobody is told.

    Raises DomainError, StaleVersion.
    """
    row = hold(public_incident, by, expected_version=expected_version).row
    values = known(changes, EDITABLE)
    if "title" in values:
        row.title = title_of(values["title"])
    if "translations" in values:
        titles = translations_of(values["translations"], TITLE, other_languages())
        row.translations = _merged(row.translations, titles, "title")
    was = row.impact
    if "impact" in values:
        row.impact = _impact_of(row, values["impact"])
    if "components" in values or "impact" in values:
        spans.correct(row, _set_components(row, values.get("components"), by), was=was)
    save(row, ["title", "translations", "impact"], by)
    return row


@unit_of_work
def withdraw(
    public_incident: PublicIncident, *, by: By, expected_version: int | None = None, origin: str = Origin.API
) -> None:
    """Delete an announcement with its updates; the audit log keeps them. Administrators only."""
    require_admin(by)
    held = hold(public_incident, by, expected_version=expected_version)
    record(held.incident, StatusEventKind.WITHDRAWN, held.row, by=by, origin=origin)
    with acting(person(by)):
        held.row.delete()
    changed()


@unit_of_work
def publish_review(
    public_incident: PublicIncident,
    *,
    by: By,
    text: str,
    translations: Mapping[str, Any] | None = None,
    at: dt.datetime | None = None,
) -> PublicIncident:
    """Show the public edition of the review; `translations` are {code: {"review": …}}."""
    row = hold(public_incident, by).row
    row.review = text_of(text, REVIEW["review"], "text")
    row.translations = _merged(row.translations, translations_of(translations, REVIEW, other_languages()), "review")
    row.review_published_at = at or timezone.now()
    save(row, ["review", "translations", "review_published_at"], by)
    return row


@unit_of_work
def withdraw_review(public_incident: PublicIncident, *, by: By) -> PublicIncident:
    """Remove the public edition of the review."""
    row = hold(public_incident, by).row
    row.review, row.review_published_at = "", None
    row.translations = _merged(row.translations, {}, "review")
    save(row, ["review", "translations", "review_published_at"], by)
    return row


def split_translations(
    translations: Mapping[str, Any] | None, update_translations: Mapping[str, Any] | None
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return the translations of title and message apart."""
    others = other_languages()
    both = translations_of(translations, {**TITLE, **MESSAGE}, others)
    titles = {code: {"title": texts["title"]} for code, texts in both.items() if "title" in texts}
    messages = {code: {"message": texts["message"]} for code, texts in both.items() if "message" in texts}
    return titles, {**messages, **translations_of(update_translations, MESSAGE, others)}


def _merged(present: Mapping[str, Any], given: Mapping[str, Mapping[str, str]], name: str) -> dict[str, dict[str, str]]:
    """Return the present translations with the field replaced by those given."""
    kept = {code: {key: text for key, text in texts.items() if key != name} for code, texts in present.items()}
    merged = {code: {**kept.get(code, {}), **given.get(code, {})} for code in {*kept, *given}}
    return {code: texts for code, texts in sorted(merged.items()) if texts}


def _begun(starts_at: dt.datetime | None, at: dt.datetime) -> dt.datetime:
    if starts_at is not None and starts_at > at:
        raise DomainError(_("An incident cannot begin in the future; plan maintenance instead."), field="starts_at")
    begun = starts_at or at
    refuse_odd_year("starts_at", begun)
    return begun


def _impact(impact: str) -> Impact:
    if impact not in Impact.values:
        raise DomainError(_("The impact is one of %(words)s.") % {"words": ", ".join(Impact.values)}, field="impact")
    return Impact(impact)


def _impact_of(row: PublicIncident, impact: str) -> Impact:
    if row.kind == Kind.MAINTENANCE and impact != Impact.MAINTENANCE:
        raise DomainError(_("Maintenance has the impact maintenance."), field="impact")
    return _impact(impact)


def _set_components(row: PublicIncident, chosen: Components | None, by: By) -> list[int]:
    """Replace the components, if any are given; return their ids."""
    present = list(row.components.values_list("pk", flat=True))
    if chosen is None:
        return present
    found = components_of(chosen, kept=present)
    with acting(person(by)):
        row.components.set(found)
    return [one.pk for one in found]

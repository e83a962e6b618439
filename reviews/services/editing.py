"""Change reviews and what they are made of."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from core.actor import acting
from core.api.times import refuse_future, refuse_odd_year
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, NotFound, PermissionRefused
from core.text.sentences import Sentence
from incidents.models import IncidentEvent, Origin
from responders.notices import Notice, announce
from reviews.models import Factor, Moment, Participant, Review
from reviews.permissions import absent, require_admin, require_can_own
from reviews.services import reviewing
from reviews.services.completeness import lacking
from reviews.services.drafting import require_room
from reviews.validation import require_known, text_for, themes_of, translations_of
from reviews.vocabulary import MOVES, Part, ReviewEventKind, ReviewState
from status_page.services.page import other_languages
from users.models import User

Row = TypeVar("Row", Moment, Factor, Participant)

TEXTS = ("title", "summary", "impact", "surprises", "went_well", "went_badly", "public_title", "public_text")
PUBLIC = ("public_title", "public_text", "public_translations")
FIELDS = (*TEXTS, "themes", "owner", "due_at", "public_translations")
MAX_FACTORS = 50
MAX_PARTICIPANTS = 100
ASKED = Sentence("%(name)s asks you to read the review of %(incident)s")


class Incomplete(Conflict):
    """A review cannot be completed yet; `missing` says what lacks."""

    code = "incomplete"


@unit_of_work
def edit_review(review: Review, *, by: User, changes: Mapping[str, Any], expected_version: int | None = None) -> Review:
    """Change fields: the texts, themes, owner, due_at, and those of the public edition, which may change at any time.

    Raises NotFound, PermissionRefused, Conflict for a completed review or another version, DomainError.
    """
    require_known(changes, FIELDS)
    review = reviewing.lock(review.pk, by=by, expected_version=expected_version)
    if set(changes) - set(PUBLIC):
        reviewing.require_open(review)
    values = {name: _value(review, name, value, by) for name, value in changes.items()}
    changed = [name for name, value in values.items() if getattr(review, name) != value]
    for name in changed:
        setattr(review, name, values[name])
    if "due_at" in changed:
        reviewing.set_reminder(review, timezone.now())
        changed.append("remind_at")
    return reviewing.save(review, changed, by=by) if changed else review


def _value(review: Review, name: str, value: Any, by: User) -> Any:
    if name in TEXTS:
        return text_for(Review, name, value, is_required=name == "title")
    if name == "themes":
        return themes_of(value)
    if name == "public_translations":
        return translations_of(value, other_languages(), model=Review)
    if name == "owner":
        if value is not None and value.pk != review.owner_id:
            require_can_own(value, review.incident)
        return value
    if value != review.due_at and review.rule_id is not None and not by.is_admin:
        raise PermissionRefused(_("A rule set when the review is due; only administrators can change it."))
    if value is not None:
        refuse_odd_year("due_at", value)
    return value


@unit_of_work
def move_review(
    review: Review, *, by: User, state: str, expected_version: int | None = None, origin: str = Origin.API
) -> Review:
    """Move a review on or back: draft, in review, completed, and reopened as a draft.

    Raises NotFound, PermissionRefused, Conflict for another version or a step that is not possible, and Incomplete.
    """
    review, incident = reviewing.lock_with_incident(review.pk, by=by, expected_version=expected_version)
    before = review.state
    if state == before:
        return review
    if state not in MOVES[ReviewState(before)]:
        allowed = [str(one) for one in MOVES[ReviewState(before)]]
        raise Conflict(
            _("A review cannot go from %(before)s to %(state)s.") % {"before": before, "state": state},
            code="invalid_transition",
            allowed=allowed,
        )
    if state == ReviewState.COMPLETED and (missing := lacking(review)):
        raise Incomplete(" ".join(missing), missing=missing)
    now = timezone.now()
    review.state = ReviewState(state)
    review.completed_at = now if state == ReviewState.COMPLETED else None
    reviewing.set_reminder(review, now)
    reviewing.save(review, ("state", "completed_at", "remind_at"), by=by, now=now)
    if state == ReviewState.COMPLETED:
        reviewing.note(incident, review, ReviewEventKind.REVIEW_COMPLETED, by=by, origin=origin)
    elif before == ReviewState.COMPLETED:
        reviewing.note(incident, review, ReviewEventKind.REVIEW_REOPENED, by=by, origin=origin)
    elif state == ReviewState.IN_REVIEW:
        _ask_reviewers(review, by)
    return review


def _ask_reviewers(review: Review, by: User) -> None:
    readers = Participant.objects.filter(review=review, part=Part.REVIEWER).exclude(user=by)
    users = [one.user_id for one in readers.select_related("user") if one.user.is_staff]
    if users:
        title = ASKED.say(name=by.name, incident=review.incident.reference)
        announce(
            Notice(
                key=f"review-read:{review.pk}:{review.version}",
                kind="review",
                title=title,
                users=users,
                incident=review.incident_id,
                path=f"/reviews/{review.pk}/",
            )
        )


@unit_of_work
def delete_review(review: Review, *, by: User) -> None:
    """Delete a review with its action items. Raises Conflict while its public edition is published."""
    require_admin(by)
    review = reviewing.lock(review.pk, by=by)
    if review.published_at is not None:
        raise Conflict(_("Its public edition is on the status page; withdraw that first."), code="published")
    with acting(by):
        review.delete()


@unit_of_work
def add_moment(
    review: Review,
    *,
    by: User,
    at: dt.datetime,
    text: str,
    event: IncidentEvent | None = None,
    expected_version: int | None = None,
) -> Moment:
    """Add a step of the narrative, with the row of the timeline that it tells of, if any. Raises as `edit_review`."""
    review = reviewing.lock_open(review.pk, by=by, expected_version=expected_version)
    require_room(review)
    moment = Moment(review=review)
    return _stored(moment, {"at": at, "text": text, "event": event}, review, by)


@unit_of_work
def edit_moment(moment: Moment, *, by: User, changes: Mapping[str, Any], expected_version: int | None = None) -> Moment:
    """Change a moment's at, text or event. Raises as `edit_review`."""
    return _edited(moment, ("at", "text", "event"), changes, by, expected_version)


@unit_of_work
def remove_moment(moment: Moment, *, by: User, expected_version: int | None = None) -> None:
    _remove(moment, by, expected_version)


@unit_of_work
def add_factor(
    review: Review, *, by: User, text: str, position: int | None = None, expected_version: int | None = None
) -> Factor:
    """Add a contributing factor, last unless `position` says otherwise. Raises as `edit_review`."""
    review = reviewing.lock_open(review.pk, by=by, expected_version=expected_version)
    factors = Factor.objects.filter(review=review)
    if factors.count() >= MAX_FACTORS:
        raise DomainError(
            _("A review takes at most %(factors)s contributing factors.") % {"factors": MAX_FACTORS}, code="too_many"
        )
    if position is None:
        last = factors.aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
    return _stored(Factor(review=review), {"text": text, "position": position}, review, by)


@unit_of_work
def edit_factor(factor: Factor, *, by: User, changes: Mapping[str, Any], expected_version: int | None = None) -> Factor:
    """Change a factor's text or position. Raises as `edit_review`."""
    return _edited(factor, ("text", "position"), changes, by, expected_version)


@unit_of_work
def remove_factor(factor: Factor, *, by: User, expected_version: int | None = None) -> None:
    _remove(factor, by, expected_version)


@unit_of_work
def add_participant(
    review: Review,
    *,
    by: User,
    user: User,
    part: str = Part.INVOLVED,
    notes: str = "",
    expected_version: int | None = None,
) -> Participant:
    """Add somebody who was involved, was asked, or reads the review. Raises as `edit_review`."""
    review = reviewing.lock_open(review.pk, by=by, expected_version=expected_version)
    if Participant.objects.filter(review=review).count() >= MAX_PARTICIPANTS:
        raise DomainError(
            _("A review takes at most %(participants)s participants.") % {"participants": MAX_PARTICIPANTS},
            code="too_many",
        )
    if not user.is_active:
        raise DomainError(_("%(user)s has no active account.") % {"user": user.name}, field="user")
    return _stored(Participant(review=review, user=user), {"part": part, "notes": notes}, review, by)


@unit_of_work
def edit_participant(
    participant: Participant, *, by: User, changes: Mapping[str, Any], expected_version: int | None = None
) -> Participant:
    """Change somebody's part or the notes of talking to them. Raises as `edit_review`."""
    return _edited(participant, ("part", "notes"), changes, by, expected_version)


@unit_of_work
def remove_participant(participant: Participant, *, by: User, expected_version: int | None = None) -> None:
    _remove(participant, by, expected_version)


def _edited(
    row: Row, known: tuple[str, ...], changes: Mapping[str, Any], by: User, expected_version: int | None
) -> Row:
    require_known(changes, known)
    review = reviewing.lock_open(row.review_id, by=by, expected_version=expected_version)
    found = type(row)._default_manager.select_for_update().filter(pk=row.pk, review=review).first()
    if found is None:
        raise absent()
    return _stored(found, changes, review, by)


def _stored(row: Row, values: Mapping[str, Any], review: Review, by: User) -> Row:
    """Check and write a part of a review, and that the review changed."""
    for name, value in values.items():
        setattr(row, name, CHECKS[name](row, review, value))
    if isinstance(row, Participant):
        _refuse_twice(row)
    with acting(by):
        row.save(update_fields=list(values)) if row.pk else row.save()
    reviewing.save(review, (), by=by)
    return row


def _remove(row: Moment | Factor | Participant, by: User, expected_version: int | None) -> None:
    review = reviewing.lock_open(row.review_id, by=by, expected_version=expected_version)
    with acting(by):
        removed, _rows = type(row)._default_manager.filter(pk=row.pk, review=review).delete()
    if not removed:
        raise NotFound(_("It was removed already."))
    reviewing.save(review, (), by=by)


def _refuse_twice(row: Participant) -> None:
    others = Participant.objects.filter(review=row.review_id, user=row.user_id, part=row.part).exclude(pk=row.pk)
    if others.exists():
        raise DomainError(
            _("%(user)s is listed so already.") % {"user": row.user.name}, field="user", code="already_exists"
        )


def _moment_of(row: Any, review: Review, at: Any) -> dt.datetime:
    if not isinstance(at, dt.datetime) or at.tzinfo is None:
        raise DomainError(_("Give a time with an offset."), field="at")
    refuse_odd_year("at", at)
    refuse_future("at", at, timezone.now())
    return at


def _event_of(row: Any, review: Review, event: Any) -> Any:
    if event is not None and event.incident_id != review.incident_id:
        raise DomainError(_("The event is not on the incident's timeline."), field="event")
    return event


def _position_of(row: Any, review: Review, position: Any) -> int:
    if type(position) is not int or not 0 <= position < 2**31:
        raise DomainError(_("Give a place, from 0."), field="position")
    return position


def _part_of(row: Any, review: Review, part: Any) -> str:
    if part not in Part.values:
        raise DomainError(_("Is one of %(names)s.") % {"names": ", ".join(Part.values)}, field="part")
    return str(part)


CHECKS: dict[str, Callable[[Any, Review, Any], Any]] = {
    "at": _moment_of,
    "event": _event_of,
    "position": _position_of,
    "part": _part_of,
    "text": lambda row, review, text: text_for(type(row), "text", text, is_required=True),
    "notes": lambda row, review, text: text_for(Participant, "notes", text),
}

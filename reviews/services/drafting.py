"""Start a review: drafted from the incident's timeline, to be rewritten by people."""

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _

from core.actor import acting
from core.db import rows
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError, PermissionRefused
from core.severity import Severity
from incidents.models import EventKind, Incident, IncidentEvent, Origin
from incidents.permissions import require_visible, require_work
from incidents.services.recording import lock as lock_incident
from reviews.models import Moment, Participant, Review, ReviewRule
from reviews.narrative import GROUPS, MOST_MOMENTS, choose, people_of, tell
from reviews.permissions import require_can_own
from reviews.services import reviewing
from reviews.vocabulary import Part, ReviewEventKind
from users.models import User

MOST_INVOLVED = 50
MAX_MOMENTS = 500
MAX_TITLE = Review._meta.get_field("title").max_length or 0


@unit_of_work
def start_review(incident: Incident, *, by: User, owner: User | None = None, origin: str = Origin.API) -> Review:
    """Start the review of an incident, drafted in the active language; its owner is the assignee, else `by`.

    Raises NotFound, PermissionRefused, Conflict where there is one already, DomainError for an owner who cannot be.
    """
    require_visible(by, incident)
    if not by.is_staff:
        raise PermissionRefused(_("Only responders and administrators can do this."))
    incident = lock_incident(incident)
    require_work(by, incident)
    found = Review.objects.filter(incident=incident).first()
    if found is not None:
        raise Conflict(
            _("%(incident)s has a review already.") % {"incident": incident.reference},
            code="already_exists",
            review=found.pk,
        )
    if owner is None:
        assignee = incident.assignee
        owner = assignee if assignee is not None and assignee.is_staff else by
    require_can_own(owner, incident)
    review = draft(incident, owner=owner, by=by)
    reviewing.note(incident, review, ReviewEventKind.REVIEW_STARTED, by=by, origin=origin)
    return review


def draft(incident: Incident, *, owner: User | None, by: User | None, rule: ReviewRule | None = None) -> Review:
    """Store a review of the locked incident with what its timeline tells, in the active language."""
    with acting(by):
        review = Review.objects.create(
            incident=incident,
            owner=owner,
            title=f"{incident.reference} {incident.title}"[:MAX_TITLE],
            impact=facts_of(incident),
            rule=rule,
            created_by=by,
        )
    rows.insert(*_moments(review, _chosen(incident)))
    rows.insert(*(Participant(review=review, user_id=user, part=Part.INVOLVED) for user in _involved(incident)))
    return review


@unit_of_work
def add_moments(
    review: Review, event_ids: Collection[int], *, by: User, expected_version: int | None = None
) -> list[Moment]:
    """Add moments of events of the incident's timeline; those that are told of already are left out.

    Raises NotFound, PermissionRefused, Conflict for a completed review, DomainError for events of others.
    """
    review = reviewing.lock_open(review.pk, by=by, expected_version=expected_version)
    wanted = set(event_ids)
    events = list(IncidentEvent.objects.filter(pk__in=wanted, incident=review.incident_id).order_by("seq"))
    if missing := wanted - {event.pk for event in events}:
        raise DomainError(
            _("The incident's timeline has no event %(missing)s.") % {"missing": min(missing)}, field="events"
        )
    told = set(Moment.objects.filter(review=review).values_list("event", flat=True))
    require_room(review, len(wanted - told))
    moments = _moments(review, [event for event in events if event.pk not in told])
    rows.insert(*moments)
    if moments:
        reviewing.save(review, (), by=by)
    return moments


def require_room(review: Review, more: int = 1) -> None:
    """Refuse more moments than a review takes."""
    if Moment.objects.filter(review=review).count() + more > MAX_MOMENTS:
        raise DomainError(_("A review takes at most %(moments)s moments.") % {"moments": MAX_MOMENTS}, code="too_many")


def facts_of(incident: Incident) -> str:
    """Return duration, severity, services and missed targets as lines in the active language."""
    lines = [_duration(incident), _("Severity: %(severity)s") % {"severity": Severity(incident.severity).label}]
    if names := list(incident.services.order_by("name").values_list("name", flat=True)):
        lines.append(_("Services: %(services)s") % {"services": ", ".join(names)})
    if incident.ack_breached:
        lines.append(_("It was not acknowledged in time."))
    if incident.resolve_breached:
        lines.append(_("It was not resolved in time."))
    return "\n".join(f"- {line}" for line in lines if line)


def _duration(incident: Incident) -> str:
    if incident.resolved_at is None:
        return ""
    total = max(int((incident.resolved_at - incident.occurred_at).total_seconds()) // 60, 0)
    hours, minutes = divmod(total, 60)
    return _("Duration: %(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}


def _moments(review: Review, events: Sequence[IncidentEvent]) -> list[Moment]:
    return [Moment(review=review, event=event, at=event.occurred_at, text=tell(event)) for event in events]


def _chosen(incident: Incident) -> list[IncidentEvent]:
    """Return the events that a draft tells of; the longest timeline costs as much as any."""
    numbers = choose([_ends(incident, kinds) for kinds, _share in GROUPS])
    return list(IncidentEvent.objects.filter(pk__in=numbers).order_by("seq"))


def _ends(incident: Incident, kinds: Sequence[str]) -> list[int]:
    """Return a group's first and last events."""
    events = IncidentEvent.objects.filter(incident=incident, kind__in=kinds, redacted_at=None)
    if EventKind.COMMENT in kinds:
        events = events.exclude(actor=None)  # what machines wrote is seldom a moment
    keys = events.values_list("pk", flat=True)
    first = list(keys.order_by("seq")[:MOST_MOMENTS])
    if len(first) < MOST_MOMENTS:
        return first
    last = list(keys.order_by("-seq")[:MOST_MOMENTS])[::-1]
    return list(dict.fromkeys([*first, *last]))


def _involved(incident: Incident) -> list[int]:
    """Return who acted on the incident or was paged for it."""
    events = IncidentEvent.objects.filter(incident=incident).order_by()
    acted = events.exclude(actor=None).values_list("actor", flat=True).distinct()[:MOST_INVOLVED]
    pages = events.filter(kind="paged").order_by("seq").values_list("data", flat=True)[:MOST_MOMENTS]
    named = list(dict.fromkeys([*acted, *people_of(list(pages))]))[:MOST_INVOLVED]
    return list(User.objects.filter(pk__in=named).order_by("pk").values_list("pk", flat=True))

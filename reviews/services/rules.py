"""Require reviews of resolved incidents, as the rules say."""

import datetime as dt
from collections.abc import Collection, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from core.text import moments
from core.text.languages import later, reading
from core.text.zones import zone_named
from incidents.models import EventKind, Incident, IncidentEvent, Status
from incidents.services import feed
from incidents.services.recording import lock_many
from responders.models import Membership
from responders.notices import Notice, announce
from reviews.models import Review, ReviewRule
from reviews.permissions import can_read
from reviews.services import reviewing
from reviews.services.drafting import draft
from reviews.vocabulary import ReviewEventKind, ReviewState
from users.models import User

READER = "reviews"
BATCH = 100
RESOLVING = frozenset({EventKind.RESOLVED})
RECHOOSING = frozenset({EventKind.SEVERITY_CHANGED, EventKind.TEAM_CHANGED, EventKind.RESTORED})
FINISHED = (Status.RESOLVED, Status.CLOSED)


def require_reviews(limit: int = BATCH) -> int:
    """Make the reviews that rules require for the next events of the feed; return how many events were read."""
    return feed.consume(READER, _handle, limit=limit)


def _handle(events: list[IncidentEvent]) -> None:
    resolved = {event.incident_id for event in events if event.kind in RESOLVING}
    reopened = {event.incident_id for event in events if event.kind == EventKind.REOPENED}
    others = {event.incident_id for event in events if event.kind in RECHOOSING}
    wanted = resolved | reopened | others
    rules = list(ReviewRule.objects.filter(is_enabled=True)) if wanted else []
    if not wanted or not (rules or Review.objects.filter(incident__in=wanted).exists()):
        return
    incidents = lock_many(wanted)
    reviews = {one.incident_id: one for one in Review.objects.select_for_update().filter(incident__in=wanted)}
    now = timezone.now()
    for incident in incidents.values():
        review = reviews.get(incident.pk)
        if incident.deleted_at is not None:
            continue
        if incident.status not in FINISHED:
            _suspend(review)
        elif review is None:
            _require(incident, rules, now)
        elif incident.pk in resolved or review.due_at is None:
            _set_due(review, incident, rules, now)


def matching(incident: Incident, rules: Collection[ReviewRule]) -> ReviewRule | None:
    """Return the rule that requires an incident's review soonest, if any does."""
    found = [rule for rule in rules if incident.severity >= rule.min_severity and _is_for(rule, incident)]
    return min(found, key=lambda rule: (rule.within_days, rule.pk), default=None)


def _is_for(rule: ReviewRule, incident: Incident) -> bool:
    return rule.team_id is None or rule.team_id == incident.team_id


def due_of(incident: Incident, rule: ReviewRule) -> dt.datetime | None:
    """Return when a rule wants the review completed."""
    resolved_at = incident.resolved_at
    return resolved_at + dt.timedelta(days=rule.within_days) if resolved_at is not None else None


def _suspend(review: Review | None) -> None:
    """Let the due date of an incident that was reopened wait for its end."""
    if review is None or review.rule_id is None or review.state == ReviewState.COMPLETED or review.due_at is None:
        return
    review.due_at = review.remind_at = None
    reviewing.save(review, ("due_at", "remind_at"), by=None)


def _set_due(review: Review, incident: Incident, rules: Sequence[ReviewRule], now: dt.datetime) -> None:
    rule = matching(incident, rules) or review.rule
    if rule is None or review.state == ReviewState.COMPLETED:
        return
    due_at = due_of(incident, rule)
    if (rule.pk, due_at) == (review.rule_id, review.due_at):
        return
    review.rule, review.due_at = rule, due_at
    reviewing.set_reminder(review, now)
    reviewing.save(review, ("rule", "due_at", "remind_at"), by=None, now=now)


def _require(incident: Incident, rules: Sequence[ReviewRule], now: dt.datetime) -> None:
    """Draft the review that a rule requires, and tell who is to write it."""
    rule = matching(incident, rules)
    if rule is None:
        return
    assignee = incident.assignee
    owner = assignee if assignee is not None and assignee.is_staff else None
    with reading(owner.language if owner is not None else settings.DEFAULT_LANGUAGE):
        review = draft(incident, owner=owner, by=None, rule=rule)
    review.due_at = due_of(incident, rule)
    reviewing.set_reminder(review, now)
    review.save(update_fields=["due_at", "remind_at"])
    reviewing.note(incident, review, ReviewEventKind.REVIEW_STARTED, by=None, origin="job")
    _tell(review, incident, rule)


def _tell(review: Review, incident: Incident, rule: ReviewRule) -> None:
    owner = review.owner
    zone = zone_named(owner.time_zone if owner is not None else "UTC")
    announce(
        Notice(
            key=f"review-required:{review.pk}",
            kind="review",
            title=later(partial(_title, incident.reference, review.due_at, zone)),
            body=later(partial(_body, rule.name, is_owned=owner is not None)),
            users=[owner.pk] if owner is not None else _team_and_admins(incident),
            incident=incident.pk,
            path=f"/reviews/{review.pk}/",
        )
    )


def _title(reference: str, due_at: dt.datetime | None, zone: ZoneInfo) -> str:
    if due_at is None:
        return _("%(incident)s needs a review") % {"incident": reference}
    words = {"incident": reference, "day": moments.shown_in(due_at, zone, "date")}
    return _("%(incident)s needs a review by %(day)s") % words


def _body(rule: str, *, is_owned: bool) -> str:
    made = _("The rule “%(rule)s” requires it. A draft was made from the timeline.") % {"rule": rule}
    whose = _("It is yours to write.") if is_owned else _("Nobody owns it yet.")
    return f"{made} {whose}"


def _team_and_admins(incident: Incident) -> list[int]:
    members = Membership.objects.filter(team=incident.team_id, user__is_active=True).select_related("user")
    people = [*(one.user for one in members), *User.objects.admins()] if incident.team_id else User.objects.admins()
    return sorted({user.pk for user in people if can_read(user, incident)})

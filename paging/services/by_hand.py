"""Page people, teams and schedules by hand."""

import uuid
from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _

from core.db import rows
from core.db.clock import database_now
from core.db.transactions import unit_of_work
from core.errors import Conflict, DomainError
from core.text.sentences import Sentence, shown
from incidents.models import Incident, Origin, Status, Visibility
from incidents.permissions import require_work
from incidents.services.recording import ChangeContext, IncidentChange, lock
from paging.models import Page
from paging.pages import hand_over
from paging.planning import Outcome, page_all
from paging.services.facts import load
from paging.services.writing import MAX_NAME, MAX_WHY, facts_of
from paging.vocabulary import Importance, PagingEventKind
from responders import targets
from responders.policies import Target
from users.models import User

BY_HAND = Sentence("Paged by %(name)s; %(why)s")
PAGED_BY = Sentence("%(name)s paged %(names)s.")


@unit_of_work
def page_by_hand(
    incident: Incident, named: Sequence[tuple[str, int]], message: str, *, by: User, origin: str = Origin.API
) -> list[Page]:
    """Page targets now, with a message, whatever the escalation does; return the pages.

    Raises PermissionRefused, Conflict for an incident that has ended or that somebody named cannot see, DomainError
    for targets that do not exist or reach nobody.
    """
    incident = lock(incident)
    require_work(by, incident)
    if not incident.is_still_open:
        raise Conflict(
            _("%(incident)s is %(status)s; reopen it to page people.")
            % {"incident": incident.reference, "status": Status(incident.status).label.lower()},
            code="incident_ended",
        )
    now = database_now()
    wanted = _targets(named)
    facts = load([(one, False) for one in wanted], now).facts(incident.severity, incident)
    outcome = page_all(wanted, facts)
    _refuse(incident, outcome, {facts.people[number].name for number in facts.hidden_from if number in facts.people})
    change = IncidentChange(incident, ChangeContext.now(by, origin))
    names = ", ".join(one.name for one in outcome.recipients)
    change.add_event(
        PagingEventKind.PAGED,
        body=message,
        visibility=Visibility.INTERNAL,
        data={"text": PAGED_BY.say(name=by.name, names=names), "paged": facts_of(outcome)},
    )
    pages = _pages(incident, outcome, message, by)
    rows.insert(*pages)
    change.save()
    hand_over(pages)
    return pages


def remove_texts(incident_id: int, texts: Collection[str], instead: str) -> None:
    """Remove leaked messages of those who paged by hand."""
    Page.objects.filter(incident=incident_id, message__in=texts).update(message=instead)


def _targets(named: Sequence[tuple[str, int]]) -> list[Target]:
    found = targets.names_of(named)
    missing = [f"{kind} {number}" for kind, number in named if (kind, number) not in found]
    if missing:
        raise DomainError(
            _("%(names)s: no such target, or it cannot be paged.") % {"names": ", ".join(missing)}, field="targets"
        )
    return [Target(kind, number, found[kind, number]) for kind, number in dict.fromkeys(named)]


def _refuse(incident: Incident, outcome: Outcome, hidden: set[str]) -> None:
    """Refuse to page people who cannot see the incident: they would learn of it, and could not answer."""
    if names := ", ".join(sorted(hidden)):
        raise Conflict(
            _("%(incident)s is restricted and %(names)s cannot see it. Give them access first.")
            % {"incident": incident.reference, "names": names},
            code="access_not_granted",
        )
    if not outcome.recipients:
        why = shown(outcome.skipped)
        raise DomainError(f"{why[:1].upper()}{why[1:]}.", field="targets", code="nobody")


def _pages(incident: Incident, outcome: Outcome, message: str, by: User) -> list[Page]:
    key, now = uuid.uuid4().hex, database_now()
    return [
        Page(
            incident=incident,
            user_id=one.user_id,
            target_kind=one.target.kind,
            target_id=one.target.id,
            target_name=one.name[:MAX_NAME],
            why=BY_HAND.say(name=by.name, why=f"{one.why[:1].lower()}{one.why[1:]}")[:MAX_WHY],
            importance=Importance.HIGH,
            message=message,
            key=f"hand-{key}-{number}",
            by=by,
            created_at=now,
        )
        for number, one in enumerate(outcome.recipients)
    ]

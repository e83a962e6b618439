"""Tell where an incident stands from templates, for whoever takes over, in the active language. Pure."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assistant.suggestions import Evidence, Summary, SummaryLine
from assistant.vocabulary import EvidenceKind, SummaryPart
from core.severity import Severity
from core.text.moments import shown_in
from core.text.sentences import age
from incidents.models import EventKind, Incident, IncidentEvent, Status
from reviews.narrative import tell

QUOTED = 240  # characters
LATEST = 6  # events that are told
SILENT = dt.timedelta(hours=4)  # without a word on an open incident


@dataclass(frozen=True)
class Story:
    """An incident with what the reader may know of it; `events` are the telling ones in their order."""

    incident: Incident
    services: Sequence[str]
    alerts: int
    firing: int
    events: Sequence[IncidentEvent]
    now: dt.datetime
    zone: dt.tzinfo


def summary_of(story: Story) -> Summary:
    """Return what happened, since when, to whom, who did what, where it stands, what is open, and what comes next."""
    lines = tuple(
        line
        for part in (_what, _since, _impact, _done, _standing, _open_questions, _next)
        for line in part(story)
        if line.text
    )
    evidence = {one.id: one for line in lines for one in line.evidence}
    return Summary("summary", "\n".join(line.text for line in lines), tuple(evidence.values()), lines)


def span_text(span: dt.timedelta) -> str:
    """Return a duration such as 2 d 3 h in the active language."""
    minutes = max(0, int(span / dt.timedelta(minutes=1)))
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return age(f"{days} d {hours} h")
    return age(f"{hours} h {rest} min" if hours else f"{rest} min")


def _evidence(*events: IncidentEvent) -> tuple[Evidence, ...]:
    return tuple(Evidence(EvidenceKind.EVENT, event.pk, _short(tell(event))) for event in events)


def _short(text: str) -> str:
    return str(Truncator(" ".join(text.split())).chars(QUOTED))


def _at(story: Story, moment: dt.datetime) -> str:
    return shown_in(moment, story.zone, "full")


def _of_kind(story: Story, *kinds: str) -> list[IncidentEvent]:
    return [event for event in story.events if event.kind in kinds]


def _what(story: Story) -> Iterator[SummaryLine]:
    created = _of_kind(story, EventKind.CREATED)
    yield SummaryLine(SummaryPart.WHAT, f"{story.incident.reference}: {story.incident.title}", _evidence(*created[:1]))


def _since(story: Story) -> Iterator[SummaryLine]:
    incident = story.incident
    facts = {"start": _at(story, incident.occurred_at)}
    if incident.is_still_open:
        text = _("Since %(start)s, for %(span)s.")
        facts["span"] = span_text(story.now - incident.occurred_at)
    elif incident.resolved_at is not None:
        text = _("From %(start)s to %(end)s, for %(span)s.")
        facts["end"] = _at(story, incident.resolved_at)
        facts["span"] = span_text(incident.resolved_at - incident.occurred_at)
    else:
        text = _("Since %(start)s.")
    yield SummaryLine(SummaryPart.SINCE, text % facts)


def _impact(story: Story) -> Iterator[SummaryLine]:
    incident = story.incident
    said = [_("Severity %(severity)s.") % {"severity": Severity(incident.severity).label}]
    if story.services:
        said.append(_("Services: %(services)s.") % {"services": ", ".join(story.services)})
    if story.alerts:
        text = ngettext(
            "%(alerts)d alert, of which %(firing)d fire.", "%(alerts)d alerts, of which %(firing)d fire.", story.alerts
        )
        said.append(text % {"alerts": story.alerts, "firing": story.firing})
    if incident.ack_breached:
        said.append(_("It was not acknowledged in time."))
    if incident.resolve_breached:
        said.append(_("It was not resolved in time."))
    raised = _of_kind(story, EventKind.SEVERITY_CHANGED)
    yield SummaryLine(SummaryPart.IMPACT, " ".join(said), _evidence(*raised[-1:]))


def _done(story: Story) -> Iterator[SummaryLine]:
    told = [event for event in story.events if event.kind != EventKind.CREATED]
    for event in told[-LATEST:]:
        facts = {"at": _at(story, event.occurred_at), "text": _short(tell(event))}
        yield SummaryLine(SummaryPart.DONE, _("%(at)s: %(text)s") % facts, _evidence(event))


def _standing(story: Story) -> Iterator[SummaryLine]:
    incident = story.incident
    facts = {
        "status": Status(incident.status).label,
        "assignee": incident.assignee.name if incident.assignee is not None else "",
        "team": incident.team.name if incident.team is not None else "",
    }
    if facts["assignee"]:
        text = _("It is %(status)s; %(assignee)s works on it.")
    elif facts["team"]:
        text = _("It is %(status)s, with the team %(team)s.")
    else:
        text = _("It is %(status)s.")
    held = _of_kind(story, EventKind.HELD) if incident.status == Status.ON_HOLD else []
    yield SummaryLine(SummaryPart.STANDING, text % facts, _evidence(*held[-1:]))


def _open_questions(story: Story) -> Iterator[SummaryLine]:
    incident = story.incident
    if not incident.is_still_open:
        return
    asked = _unanswered(_of_kind(story, EventKind.COMMENT))
    if asked is not None:
        text = _("Nobody has answered: “%(text)s”") % {"text": _short(asked.body)}
        yield SummaryLine(SummaryPart.OPEN, text, _evidence(asked))
    if incident.assignee is None:
        yield SummaryLine(SummaryPart.OPEN, _("Nobody is assigned."))
    if incident.team is None:
        yield SummaryLine(SummaryPart.OPEN, _("No team has it."))
    if not story.services:
        yield SummaryLine(SummaryPart.OPEN, _("The services affected are not named."))
    last = story.events[-1] if story.events else None
    if last is not None and story.now - last.occurred_at >= SILENT and incident.status != Status.ON_HOLD:
        text = _("Nothing has been said for %(span)s.") % {"span": span_text(story.now - last.occurred_at)}
        yield SummaryLine(SummaryPart.OPEN, text, _evidence(last))


def _unanswered(comments: Sequence[IncidentEvent]) -> IncidentEvent | None:
    """Return the last question after which nobody else wrote."""
    for place, comment in enumerate(reversed(comments)):
        if comment.body.rstrip().endswith(("?", "？", "؟")):
            later = comments[len(comments) - place :]
            return None if any(one.actor_id != comment.actor_id for one in later) else comment
    return None


def _next(story: Story) -> Iterator[SummaryLine]:
    incident = story.incident
    if incident.status == Status.OPEN and incident.ack_due_at is not None and not incident.ack_breached:
        text = _("Acknowledge it by %(due)s.") % {"due": _at(story, incident.ack_due_at)}
        yield SummaryLine(SummaryPart.NEXT, text)
    if incident.status == Status.ON_HOLD:
        yield SummaryLine(SummaryPart.NEXT, _("Resume work when what it waits for is there."))
    elif incident.is_still_open and incident.resolve_due_at is not None and not incident.resolve_breached:
        text = _("Resolve it by %(due)s.") % {"due": _at(story, incident.resolve_due_at)}
        yield SummaryLine(SummaryPart.NEXT, text)
    elif incident.status == Status.RESOLVED:
        yield SummaryLine(SummaryPart.NEXT, _("Close it when nobody objects."))

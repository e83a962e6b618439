"""Write what a message says, from plain values: no database, no clock."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.severity import WORD_OF_SEVERITY, Severity
from core.text.languages import reading, spoken
from core.text.moments import shown_in
from core.text.sentences import age, shown
from core.text.zones import zone_named
from incidents.kinds import label_of
from incidents.models import Incident, IncidentEvent, Status
from notifications.audiences import Letter
from notifications.channels.port import Button, Message
from notifications.models import Delivery
from notifications.services.machine_events import event_of
from notifications.vocabulary import Kind
from paging.models import Page

MOST_LISTED = 10
MOST_TEXT = 2000
OLD_SECONDS = 300  # what is older says how old it is


@dataclass(frozen=True)
class Reader:
    """Whom a message is written for; a room or machine has no name."""

    name: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    is_staff: bool = True


@dataclass(frozen=True)
class Subject:
    """An incident, and what happened; `is_visible` says whether the reader may know more than its reference."""

    incident: Incident
    is_visible: bool = True
    page: Page | None = None
    event: IncidentEvent | None = None


@dataclass(frozen=True)
class Parcel:
    """Everything that a message is made of."""

    delivery: Delivery
    reader: Reader
    now: dt.datetime
    public_url: str
    subject: Subject | None = None
    carried: Sequence[Subject] = ()
    next_step_at: dt.datetime | None = None
    token: str = ""
    code: str = ""
    tried: Sequence[str] = ()
    edits: str = ""
    passed: Sequence[Subject] = ()  # during quiet hours
    extra: Mapping[str, Any] = field(default_factory=dict)
    letter: Letter | None = None


def actions() -> tuple[Button, ...]:
    """Return what may be done about an incident from a message."""
    return (
        Button("acknowledge", _("Acknowledge")),
        Button("take", _("Take it")),
        Button("resolve", _("Resolve")),
        Button("note", _("Add note")),
    )


def compose(parcel: Parcel) -> Message:
    """Return the message in its reader's language."""
    with reading(parcel.reader.language):
        return _compose(parcel)


def _compose(parcel: Parcel) -> Message:
    """Add what is the same for every kind."""
    delivery, reader = parcel.delivery, parcel.reader
    common = {
        "key": delivery.key,
        "kind": delivery.kind,
        "importance": delivery.importance,
        "language": spoken(reader.language),
        "time_zone": reader.time_zone,
        "attempt": max(1, delivery.attempt_count),
        "tried": tuple(parcel.tried),
        "edits": parcel.edits,
    }
    return Message(**{**common, **_parts(parcel)})


def _parts(parcel: Parcel) -> dict[str, Any]:
    kind, subject = parcel.delivery.kind, parcel.subject
    if parcel.letter is not None:
        return _letter(parcel.letter)
    if kind == Kind.CODE:
        return _code(parcel)
    if kind == Kind.TEST:
        return _test(parcel)
    if subject is None or (kind == Kind.NOTICE and not parcel.delivery.content.get("of_incident")):
        return _notice(parcel)
    subjects = _distinct([subject, *parcel.carried], is_page=kind == Kind.PAGE)
    if len(subjects) > 1:
        return _page_bundle(parcel, subjects) if kind == Kind.PAGE else _update_bundle(parcel, subjects)
    return _page(parcel, subject) if kind == Kind.PAGE else _update(parcel, subject)


def _distinct(subjects: Sequence[Subject], *, is_page: bool) -> list[Subject]:
    """Return one subject per incident for pages, whose newest facts are the same; one per event for updates."""
    if not is_page:
        return list(subjects)
    return list({subject.incident.pk: subject for subject in reversed(subjects)}.values())[::-1]


def _about(parcel: Parcel, subject: Subject) -> dict[str, Any]:
    """Return what names the incident; no more than its reference where the reader may not see it."""
    incident = subject.incident
    named: dict[str, Any] = {
        "incident": incident.pk,
        "reference": incident.reference,
        "thread": incident.reference,
        "url": incident_url(parcel, incident),
        "occurred_at": subject.event.occurred_at if subject.event else incident.created_at,
        "event": machine_event(parcel, subject),
    }
    if subject.is_visible:
        named |= {"severity": WORD_OF_SEVERITY[incident.severity], "status": incident.status}
    return named


def _page(parcel: Parcel, subject: Subject) -> dict[str, Any]:
    incident, page = subject.incident, subject.page
    message = shown(page.message) if page and subject.is_visible else ""
    lines = [shown(page.why) if page else "", *_state_lines(parcel, subject)]
    if parcel.next_step_at is not None and parcel.next_step_at > parcel.now:
        time = moment(parcel, parcel.next_step_at)
        lines.append(_("Without an answer, the next step follows at %(time)s.") % {"time": time})
    body = message or (incident.description if subject.is_visible else "")
    return {
        **_about(parcel, subject),
        "title": headline(subject),
        "body": body[:MOST_TEXT],
        "lines": tuple(line for line in lines if line),
        "buttons": actions() if subject.is_visible else (),
        **_answering(parcel),
    }


def _answering(parcel: Parcel) -> dict[str, str]:
    if not parcel.token:
        return {}
    return {"answer_url": f"{parcel.public_url}/a/{parcel.token}/", "reply_code": parcel.code}


def _page_bundle(parcel: Parcel, subjects: Sequence[Subject]) -> dict[str, Any]:
    ranked = sorted(subjects, key=lambda subject: (-subject.incident.severity, subject.incident.pk))
    counts = Counter(subject.incident.severity for subject in ranked if subject.is_visible)
    severities = ", ".join(
        _("%(count)s %(severity)s") % {"count": number(counts[severity]), "severity": severity.label.lower()}
        for severity in sorted(Severity, reverse=True)
        if counts[severity]
    )
    facts = {"count": number(len(ranked)), "severities": severities}
    said = _("%(count)s incidents need you: %(severities)s") if severities else _("%(count)s incidents need you")
    listed = [
        _("%(incident)s, since %(time)s") % {"incident": headline(subject), "time": _created(parcel, subject.incident)}
        for subject in ranked[:MOST_LISTED]
    ]
    return {
        **_about(parcel, subjects[0]),
        "title": said % facts,
        "lines": (*listed, *_rest(len(ranked))),
        "count": len(ranked),
        "url": f"{parcel.public_url}/incidents/" if parcel.reader.is_staff else "",
        "buttons": (Button("acknowledge", _("Acknowledge all %(count)s") % facts),),
        **_answering(parcel),
    }


def _rest(count: int) -> list[str]:
    return [_("and %(count)s more") % {"count": number(count - MOST_LISTED)}] if count > MOST_LISTED else []


def _edited(parcel: Parcel, subject: Subject) -> dict[str, Any]:
    """Return the earlier message with what is so now."""
    incident, page = subject.incident, subject.page
    body = (shown(page.message) if page else "") or incident.description
    is_acted_on = subject.is_visible and incident.is_still_open
    return {
        **_about(parcel, subject),
        "title": headline(subject),
        "body": body[:MOST_TEXT] if subject.is_visible else "",
        "lines": tuple(line for line in (shown(page.why) if page else "", *_state_lines(parcel, subject)) if line),
        "buttons": actions() if is_acted_on else (),
    }


def _update(parcel: Parcel, subject: Subject) -> dict[str, Any]:
    if parcel.edits:
        return _edited(parcel, subject)
    event = subject.event
    return {
        **_about(parcel, subject),
        "title": update_line(subject) if event else headline(subject),
        "body": event.body[:MOST_TEXT] if event and subject.is_visible else "",
        "lines": tuple(_state_lines(parcel, subject)),
        "buttons": () if not parcel.reader.name and subject.is_visible is False else _room_buttons(parcel, subject),
    }


def _room_buttons(parcel: Parcel, subject: Subject) -> Sequence[Button]:
    is_room = parcel.delivery.room_id is not None
    return actions() if is_room and subject.is_visible and subject.incident.is_still_open else ()


def _update_bundle(parcel: Parcel, subjects: Sequence[Subject]) -> dict[str, Any]:
    incidents = {subject.incident.pk for subject in subjects}
    facts = {"count": number(len(subjects)), "incidents": number(len(incidents))}
    if len(incidents) > 1:
        title = _("%(count)s updates on %(incidents)s incidents") % facts
    else:
        title = _("%(count)s updates on %(incident)s") % {**facts, "incident": subjects[0].incident.reference}
    listed = [update_line(subject) for subject in subjects[:MOST_LISTED]]
    return {
        **_about(parcel, subjects[0]),
        "title": title,
        "lines": (*listed, *_rest(len(subjects))),
        "count": len(incidents),
    }


def _letter(letter: Letter) -> dict[str, Any]:
    return {
        "title": letter.title,
        "body": letter.body,
        "lines": tuple(letter.lines),
        "url": letter.url,
        "origin": letter.origin,
        "leave_url": letter.leave_url,
        "manage_url": letter.manage_url,
    }


def _notice(parcel: Parcel) -> dict[str, Any]:
    content = parcel.delivery.content
    if "catch_up_since" in content:
        return _catch_up(parcel)
    path, subject = str(content.get("path", "")), parcel.subject
    about = {
        "occurred_at": parcel.delivery.created_at,
        "incident": subject.incident.pk if subject else None,
        "reference": subject.incident.reference if subject else "",
    }
    if subject is not None and not subject.is_visible:  # not any more
        return {**about, "title": headline(subject), "url": incident_url(parcel, subject.incident)}
    return {
        **about,
        "title": str(content.get("title", "")),
        "body": str(content.get("body", "")),
        "url": f"{parcel.public_url}/{path.lstrip('/')}" if path else _url_of(parcel),
        "buttons": tuple(Button(*choice) for choice in content.get("choices", ())),
    }


def _url_of(parcel: Parcel) -> str:
    return incident_url(parcel, parcel.subject.incident) if parcel.subject else ""


def _catch_up(parcel: Parcel) -> dict[str, Any]:
    listed = [
        _("%(incident)s (%(status)s)")
        % {"incident": headline(subject), "status": Status(subject.incident.status).label.lower()}
        for subject in parcel.passed[:MOST_LISTED]
    ]
    count = len(parcel.passed)
    title = ngettext(
        "During your quiet hours: %(count)s incident that is over",
        "During your quiet hours: %(count)s incidents that are over",
        count,
    )
    return {
        "title": title % {"count": number(count)},
        "lines": (*listed, *_rest(count)),
        "count": max(1, count),
        "occurred_at": parcel.delivery.created_at,
    }


def _code(parcel: Parcel) -> dict[str, Any]:
    code = str(parcel.delivery.content.get("code", ""))
    return {
        "title": _("%(code)s is your code") % {"code": code},
        "body": _("Enter it to confirm that you are reached here. If you did not ask for it, ignore this message."),
    }


def _test(parcel: Parcel) -> dict[str, Any]:
    if code := str(parcel.delivery.content.get("code", "")):
        body = _(
            "Incidents are posted here. To confirm that this message arrived, enter the code %(code)s at its channel."
        )
        return {"title": _("Test message"), "body": body % {"code": code}, "reply_code": code}
    return {"title": _("Test message"), "body": _("You asked for it: incidents would reach you here.")}


def headline(subject: Subject) -> str:
    """Return the line by which an incident is known: INC-12 Critical: Checkout is down."""
    incident = subject.incident
    if not subject.is_visible:
        return _("%(incident)s Restricted incident") % {"incident": incident.reference}
    facts = {"incident": incident.reference, "severity": Severity(incident.severity).label, "title": incident.title}
    return _("%(incident)s %(severity)s: %(title)s") % facts


def update_line(subject: Subject) -> str:
    """Return what happened in a line: INC-12 Resolved: Checkout is down."""
    incident, event = subject.incident, subject.event
    what = label_of(event.kind) if event else Status(incident.status).label
    title = incident.title if subject.is_visible else _("Restricted incident")
    return _("%(incident)s %(what)s: %(title)s") % {"incident": incident.reference, "what": what, "title": title}


def _state_lines(parcel: Parcel, subject: Subject) -> list[str]:
    incident, event = subject.incident, subject.event
    if not subject.is_visible:
        return []
    said = _("%(status)s, since %(time)s") if incident.status == Status.OPEN else _("%(status)s, reported %(time)s")
    lines = [said % {"status": Status(incident.status).label, "time": _created(parcel, incident)}]
    if incident.team is not None:
        lines.append(_("Team: %(team)s") % {"team": incident.team.name})
    if event is not None and event.actor_label:
        facts = {"what": label_of(event.kind), "name": event.actor_label, "time": moment(parcel, event.occurred_at)}
        lines.append(_("%(what)s by %(name)s at %(time)s") % facts)
    return lines


def _created(parcel: Parcel, incident: Incident) -> str:
    """Return when an incident was reported, and how long ago that is once it is old."""
    at = moment(parcel, incident.created_at)
    seconds = int((parcel.now - incident.created_at).total_seconds())
    return at if seconds < OLD_SECONDS else _("%(time)s (%(age)s ago)") % {"time": at, "age": duration(seconds)}


def duration(seconds: int) -> str:
    """Return a duration in its two largest units."""
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return age(" ".join(parts[:2]) or f"{seconds} s")


def number(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def moment(parcel: Parcel, at: dt.datetime) -> str:
    """Return a time as the reader's clock shows it, with the day unless it is today."""
    zone = zone_named(parcel.reader.time_zone)
    local = at.astimezone(zone)
    is_today = local.date() == parcel.now.astimezone(zone).date()
    return shown_in(at, zone, "clock" if is_today else "usual", has_zone=True)


def incident_url(parcel: Parcel, incident: Incident) -> str:
    """Return the page of an incident: for those who work on any."""
    if not parcel.reader.is_staff:
        return ""
    return f"{parcel.public_url}/incidents/{incident.reference}/"


def machine_event(parcel: Parcel, subject: Subject) -> dict[str, Any]:
    """Return the event as webhooks and topics get it."""
    return event_of(
        subject.incident,
        url=incident_url(parcel, subject.incident),
        at=parcel.delivery.created_at,
        event=subject.event,
        page=subject.page,
        is_visible=subject.is_visible,
    )

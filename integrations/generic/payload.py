"""JSON, forms or XML of any tool, by common field names or templates."""

from collections.abc import Mapping
from typing import Any

from alerts.reading.bodies import read_body
from alerts.reading.fingerprints import computed
from alerts.reading.lists import read_each
from alerts.reading.names import plain_name
from alerts.reading.tags import label_texts, labels_of
from alerts.reading.templates import render
from alerts.reading.values import first, labels, links, mapping, moment, severity, state, text, texts
from alerts.reading.words import mapped
from alerts.updates import Action, AlertUpdate, AlertUpdates
from intake.requests import IntakeError, IntakeRequest

TITLE = "Generic webhook"
SNIPPET = """\
curl {url}/intake/{key}/ -H 'Content-Type: application/json' \\
  -d '{"title": "Disk almost full", "severity": "high", "key": "db-3/disk", "status": "firing"}'
"""
TAKES_TEMPLATES = True

MOST_ALERTS = 1_000
MOST_FIELDS = 2_000
FIELDS = {
    "title": "title summary subject headline alertname name eventname rulename checkname alerttitle eventtitle "
    "incidenttitle problemtitle messagetitle shortdescription alertrule alarmname monitorname monitorfriendlyname "
    "friendlyname triggername conditionname policyname displayname rule",
    "message": "message description body text details detail msg output reason alarmmessage alertmessage eventmessage "
    "alertdetails longdescription eventdescription serviceoutput hostoutput statusmessage "
    "errormessage messagebody content",
    "type": "type eventtype alerttype category class",
    "severity": "severity priority level urgency alertseverity alertpriority alertlevel eventseverity incidentseverity "
    "perceivedseverity severitylevel criticality servicestate hoststate impact",
    # the steadiest first
    "key": "key dedupkey deduplicationkey deduplicationid fingerprint alias incidentkey eventkey alertkey alertuid "
    "alertid incidentid problemid incidentnumber alarmid issueid aggregationkey correlationkey correlationid "
    "externalid externalkey messagekey monitorid checkid eventuid eventid",
    "status": "status state alertstatus alertstate eventaction currentstate action notificationtype monitorcondition "
    "newstate newstatus eventstatus eventstate incidentstatus incidentstate issuestate problemstate monitorstatus "
    "checkstatus statusextended alertaction alarmstatus alarmstate alerttransition newstatevalue",
    "url": "url link href sourceurl alerturl dashboardurl linktoupstreamdetails incidenturl problemurl issueurl "
    "eventurl htmlurl weburl detailsurl monitorurl checkurl permalink generatorurl",
    "starts_at": "startsat startedat starttime firedat fireddatetime triggeredat",
    "ends_at": "endsat endedat endtime resolvedat closedat recoveredat recoverytime resolveddatetime",
    "note": "note comment notificationcomment ackcomment acknowledgementcomment",
    "user": "user username author notificationauthor ackauthor acknowledgedby",
}
_NAMES = {field: tuple(names.split()) for field, names in FIELDS.items()}
# names that may mean the state, among others: only an end or an acknowledgement
# of something with a key counts
_MAY_TELL = ("event", "eventtype", "alerttype", "transition")
_OVER = frozenset(("ok", "okay", "clear", "cleared", "recovered", "recovery", "resolved", "closed"))
# true means over
_IS_OVER = ("resolved", "isresolved", "recovered", "isrecovered", "fixed", "closed", "cleared")
# facts that make good labels
LABELS = {
    **{name: name for name in ("host", "service", "environment", "region", "cluster", "instance", "source", "team")},
    **{"hostname": "host", "env": "environment", "component": "component", "application": "application"},
}


def parse(
    request: IntakeRequest, templates: Mapping[str, Any] | None = None, status_map: Mapping[str, str] | None = None
) -> AlertUpdates:
    """Return an update for each object.

    `templates` are by field, or label under "labels"; `status_map` are the source's own words: what they end needs no
    title.
    """
    body = read_body(request)
    found = body if isinstance(body, list) else [body]
    if len(found) > MOST_ALERTS:
        raise IntakeError(f"One request holds at most {MOST_ALERTS:,} alerts; this one has {len(found):,}.", status=413)
    if not found:
        raise IntakeError("The body must be a non-empty object, or a list of such objects.")
    return read_each(found, lambda one: update_of(one, templates or {}, status_map=status_map or {}))


def update_of(
    body: Any,
    templates: Mapping[str, Any] | None = None,
    *,
    status_map: Mapping[str, str] | None = None,
    fallback_title: str = "",
) -> AlertUpdate:
    """Return an object's update. Raises IntakeError without title or key."""
    if not isinstance(body, dict) or not body:
        raise IntakeError("The body must be a non-empty object, or a list of such objects.")
    if len(body) > MOST_FIELDS:
        raise IntakeError(f"One object holds at most {MOST_FIELDS:,} fields; this one has {len(body):,}.")
    said = _fields(body, templates or {})
    key = text(said["key"])
    known = _labels(body, templates or {}, said["type"])
    how_bad = first(said["severity"], known.get("severity"), known.get("priority"))
    word, action, is_guess = _state(said["status"], how_bad, body, has_key=bool(key))
    title = first(said["title"], text(said["message"]).partition("\n")[0], fallback_title)
    if not title and (mapped(status_map or {}, word) or action) not in ("firing", Action.FIRE):
        title = key  # enough for a known alert
    if not title:
        raise IntakeError("The payload has no title: send title, summary or name, or set a template for the title.")
    began = moment(said["starts_at"])
    return AlertUpdate(
        title=title,
        action=action,
        fingerprint=key or computed(title, *(part for pair in sorted(known.items()) for part in pair)),
        severity=severity(how_bad),
        description=text(said["message"]),
        labels={**known, **labels(severity=how_bad)},
        links=links(("Source", said["url"])),
        starts_at=began,
        ends_at=moment(said["ends_at"]),
        note=text(said["note"]) or (f"Its sender says: {word}." if action == Action.NOTE else ""),
        user=text(said["user"]),
        status_word=word,
        is_guess=is_guess,
        may_never_end=action == Action.FIRE and began is not None,
    )


def action_of(status: Any) -> Action:
    """Return what a status asks for; unknown ones fire."""
    return state(status)[0]


def _state(said: Any, how_bad: str, body: dict[str, Any], *, has_key: bool) -> tuple[str, Action, bool]:
    """Return the status word, its action, and whether it is a guess.

    LibreNMS, Nagios and ServiceNow tell by the severity that it is over.
    """
    word = text(said)
    if how_bad.lower() in _OVER and (not word or word.isdecimal()):
        return how_bad, Action.RESOLVE, False
    if word:
        action, is_guess = state(said)
        return word, action, is_guess
    plain = {plain_name(name): text(value) for name, value in body.items() if not _is_deep(value)}
    if any(plain.get(name) == "true" for name in _IS_OVER):
        return "", Action.RESOLVE, False
    for name in _MAY_TELL if has_key else ():
        action, is_guess = state(plain.get(name, ""))
        if action in (Action.RESOLVE, Action.ACKNOWLEDGE):
            return plain[name], action, False
    return "", Action.FIRE, False


def _fields(body: dict[str, Any], templates: Mapping[str, Any]) -> dict[str, Any]:
    # of twins the first stays
    plain = {plain_name(name): value for name, value in reversed(body.items()) if _says(value)}
    return {
        field: render(str(templates[field]), body)
        if templates.get(field)
        else next((plain[name] for name in names if name in plain), None)
        for field, names in _NAMES.items()
    }


def _labels(body: dict[str, Any], templates: Mapping[str, Any], kind: Any) -> dict[str, str]:
    plain = {plain_name(name): value for name, value in body.items()}
    facts = {LABELS[name]: text(value) for name, value in plain.items() if name in LABELS and not _is_deep(value)}
    templated = {str(name): render(str(one), body) for name, one in mapping(templates.get("labels")).items()}
    fields = plain.get("fields") if isinstance(plain.get("fields"), list) else []
    tagged = {**labels_of(fields), **labels_of(plain.get("tags")), **label_texts(plain.get("labels"))}
    return texts({**facts, **tagged, "type": kind, **templated})


def _says(value: Any) -> bool:
    return text(value) != ""


def _is_deep(value: Any) -> bool:
    return isinstance(value, (dict, list))

"""Anything that can post JSON, a form or XML, by field names that most tools share or by templates of one's own.

Names are compared without regard to case, hyphens and underscores: alertName, alert-name and ALERT_NAME are one.
The first name of a field that says anything counts.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from alerts.adapters._bodies import read_body
from alerts.adapters._fingerprints import computed
from alerts.adapters._reading import first, labels, links, mapping, moment, severity, text, texts
from alerts.adapters._tags import labels_of
from alerts.adapters._templates import render
from alerts.drafts import Action, Draft
from alerts.incoming import Incoming, IntakeError

TITLE = "Generic webhook"
SNIPPET = """\
curl {url}/intake/{key}/ -H 'Content-Type: application/json' \\
  -d '{"title": "Disk almost full", "severity": "high", "key": "db-3/disk", "status": "firing"}'
"""
TAKES_TEMPLATES = True

MOST_ALERTS = 1_000
FIELDS = {
    "title": "title summary subject headline alertname name eventname rulename checkname",
    "message": "message description body text details detail msg output reason",
    "type": "type eventtype alerttype category class",
    "severity": "severity priority level urgency alertseverity",
    "key": "key dedupkey fingerprint alias incidentkey eventkey alertkey alertid incidentid",
    "status": "status state alertstatus alertstate eventaction currentstate action",
    "url": "url link href sourceurl alerturl dashboardurl",
    "starts_at": "startsat startedat starttime",
    "ends_at": "endsat endedat endtime resolvedat closedat",
    "note": "note comment",
    "user": "user username",
}
_NAMES = {field: tuple(names.split()) for field, names in FIELDS.items()}
# Facts that make good labels when they stand beside the others.
LABELS = {
    **{name: name for name in ("host", "service", "environment", "region", "cluster", "instance", "source", "team")},
    **{"hostname": "host", "env": "environment", "component": "component", "application": "application"},
}
_ENDS = (
    "0 ok okay resolved resolve closed close recovered recovery up normal clear cleared inactive healthy good green "
    "fixed ended end success passed false"
)
RESOLVED = frozenset(_ENDS.split())
ACKNOWLEDGED = frozenset(("acknowledged", "acknowledge", "acked", "ack"))


def parse(incoming: Incoming, templates: Mapping[str, Any] | None = None) -> list[Draft]:
    """A draft for the object in the body, or for each object of a list.

    `templates` holds a template for a field, or under "labels" for each label; fields without one are found by name.
    """
    body = read_body(incoming)
    found = body if isinstance(body, list) else [body]
    if len(found) > MOST_ALERTS:
        raise IntakeError(f"One request holds at most {MOST_ALERTS:,} alerts; this one has {len(found):,}.", status=413)
    if not found or not all(isinstance(one, dict) and one for one in found):
        raise IntakeError("The body must be an object that says something, or a list of such objects.")
    return [draft_of(one, templates or {}) for one in found]


def draft_of(body: dict[str, Any], templates: Mapping[str, Any] | None = None, *, fallback_title: str = "") -> Draft:
    """The draft of one object. Raises IntakeError where nothing in it could be a title."""
    said = _fields(body, templates or {})
    title = first(said["title"], text(said["message"]).partition("\n")[0], fallback_title)
    if not title:
        raise IntakeError("There is no title in it: send title, summary or name, or set a template for the title.")
    known = _labels(body, templates or {}, said["type"])
    action = action_of(said["status"])
    return Draft(
        title=title,
        action=action,
        fingerprint=text(said["key"]) or computed(title, *(part for pair in sorted(known.items()) for part in pair)),
        severity=severity(said["severity"]),
        description=text(said["message"]),
        labels={**known, **labels(severity=said["severity"])},
        links=links(("Source", said["url"])),
        starts_at=moment(said["starts_at"]),
        ends_at=moment(said["ends_at"]),
        note=text(said["note"]),
        user=text(said["user"]),
    )


def action_of(status: Any) -> Action:
    """What a status asks for. Whatever is neither an end nor an acknowledgement fires: better once too often."""
    word = text(status).lower()
    if word in RESOLVED:
        return Action.RESOLVE
    return Action.ACKNOWLEDGE if word in ACKNOWLEDGED else Action.FIRE


def _fields(body: dict[str, Any], templates: Mapping[str, Any]) -> dict[str, Any]:
    """The value of each field, by its template or else by its names."""
    plain = {_plain(name): value for name, value in reversed(body.items()) if _says(value)}  # of twins the first stays
    return {
        field: render(str(templates[field]), body)
        if templates.get(field)
        else next((plain[name] for name in names if name in plain), None)
        for field, names in _NAMES.items()
    }


def _labels(body: dict[str, Any], templates: Mapping[str, Any], kind: Any) -> dict[str, str]:
    """Labels by their templates; by what is called labels or tags; and the facts that make good ones."""
    plain = {_plain(name): value for name, value in body.items()}
    facts = {LABELS[name]: text(value) for name, value in plain.items() if name in LABELS and not _is_deep(value)}
    templated = {str(name): render(str(one), body) for name, one in mapping(templates.get("labels")).items()}
    tagged = {**labels_of(plain.get("tags")), **texts(plain.get("labels"))}
    return texts({**facts, **tagged, "type": kind, **templated})


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _says(value: Any) -> bool:
    return text(value) != ""


def _is_deep(value: Any) -> bool:
    return isinstance(value, (dict, list))

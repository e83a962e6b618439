"""Zabbix, through a media type whose script posts the macros we ask for.

Source: https://www.zabbix.com/documentation/current/en/manual/appendix/macros/supported_by_location. {EVENT.ID} is the
problem's in its recovery and updates, too. A macro without a value arrives as *UNKNOWN*, or unexpanded.
"""

import re
from dataclasses import replace
from typing import Any

import orjson

from alerts.reading.tags import labels_of
from alerts.reading.values import first, json_object, labels, links, moment, severity, state, text
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Zabbix"
SNIPPET = """\
Alerts, Media types, Create media type. Type: Webhook. Parameters:
  url                 {url}/intake/{key}/
  event_id            {EVENT.ID}
  event_value         {EVENT.VALUE}
  event_name          {EVENT.NAME}
  event_nseverity     {EVENT.NSEVERITY}
  event_opdata        {EVENT.OPDATA}
  event_tags          {EVENT.TAGSJSON}
  event_update_status {EVENT.UPDATE.STATUS}
  event_update_action {EVENT.UPDATE.ACTION}
  update_message      {EVENT.UPDATE.MESSAGE}
  user                {USER.FULLNAME}
  host                {HOST.NAME}
  host_ip             {HOST.IP}
  trigger_id          {TRIGGER.ID}
  trigger_url         {TRIGGER.URL}
Script:
  var params = JSON.parse(value), request = new HttpRequest(), url = params.url;
  delete params.url;
  request.addHeader('Content-Type: application/json');
  var answer = request.post(url, JSON.stringify(params));
  if (request.getStatus() < 200 || request.getStatus() > 299) { throw request.getStatus() + ' ' + answer; }
  return 'OK';
"""

# What the numbers of event.acknowledge mean, for those who send that mask in place of its words.
_MASK = {
    1: "closed",
    2: "acknowledged",
    4: "commented",
    8: "changed severity",
    16: "unacknowledged",
    32: "suppressed",
    64: "unsuppressed",
}
SEVERITIES = {"0": "low", "1": "low", "2": "medium", "3": "medium", "4": "high", "5": "critical"}
_EMPTY = re.compile(r"\*UNKNOWN\*|\{[A-Z][A-Z.]*[0-9]?\}", re.ASCII)


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of a problem or its recovery, or one for each thing that somebody did about it."""
    body = {name: _said(value) for name, value in json_object(request).items()}
    key = text(body.get("event_id"))
    if not key:
        raise IntakeError("The payload has no event_id; does the media type send {EVENT.ID} by that name?")
    number, value = text(body.get("event_nseverity")), text(body.get("event_value"))
    is_guess = state(value)[1]
    update = AlertUpdate(
        title=first(body.get("event_name"), body.get("subject"), "Problem"),
        fingerprint=key,
        severity=severity(number, SEVERITIES),
        description=first(body.get("event_opdata"), body.get("message")),
        labels={
            **_tags(body.get("event_tags")),
            **labels(host=body.get("host"), ip=body.get("host_ip"), trigger=body.get("trigger_id")),
            **labels(severity=number),
        },
        links=links(("Trigger", body.get("trigger_url"))),
        starts_at=moment(body.get("event_timestamp")),
        user=text(body.get("user")),
        status_word=value if is_guess else "",
        is_guess=is_guess,
    )
    return [replace(update, action=action, note=note) for action, note in _acts(body)]


def _acts(body: dict[str, Any]) -> list[tuple[Action, str]]:
    """Return what is to be done, each with its note; closing is told by a recovery."""
    said = text(body.get("update_message"))
    action = state(body.get("event_value"))[0]  # of {EVENT.VALUE}, a number; or of {EVENT.STATUS}, a word
    if action == Action.RESOLVE or text(body.get("event_update_status")) != "1":
        return [(action, said)]
    done = _done(text(body.get("event_update_action")))
    if re.search(r"\backnowledged\b", done):
        return [(Action.ACKNOWLEDGE, said)]  # which takes the severity along
    if "severity" in done:
        return [(Action.FIRE, ""), *([(Action.NOTE, said)] if said else [])]
    # What has no word of its own here is told: suppressed, taken back, closed.
    return [(Action.NOTE, said or done)]


def _done(action: str) -> str:
    if not action.isdecimal() or len(action) > 4:
        return action.lower()
    return ", ".join(word for bit, word in _MASK.items() if int(action) & bit)


def _said(value: Any) -> Any:
    return None if isinstance(value, str) and _EMPTY.fullmatch(value.strip()) else value


def _tags(value: Any) -> dict[str, str]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            return labels_of(orjson.loads(value))
        except orjson.JSONDecodeError:
            return {}
    return labels_of(value)

"""What Slack sends when a button is pressed or a command typed. Pure.

Sources: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload and
https://docs.slack.dev/interactivity/implementing-slash-commands.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from notifications.channels.chat.asked import Asked
from notifications.channels.chat.commands import parse
from notifications.channels.slack.blocks import ACTION_PREFIX, NOTE, NOTE_INPUT

KIND = "slack"
LONGEST = 2000
_PERSON = re.compile(r"[UW][A-Z0-9]{2,30}")
_VALUE = re.compile(r"(\d{1,18})(?::([0-9a-f]{8,64}))?")  # a number, and the version of what was shown


class Unreadable(Exception):
    """The body is not what Slack sends."""


def fields_of(body: bytes) -> dict[str, str]:
    """Return the fields of a form. Raises Unreadable."""
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=100)
    except ValueError as error:
        raise Unreadable("This is not a form.") from error
    return {name: values[0] for name, values in fields.items()}


def read_interaction(body: bytes) -> list[Asked]:
    """Return what the pressed buttons ask for; other interactions ask for nothing. Raises Unreadable."""
    try:
        payload = json.loads(fields_of(body).get("payload", ""))
    except (ValueError, RecursionError) as error:
        raise Unreadable("There is no payload of JSON.") from error
    if not isinstance(payload, dict):
        raise Unreadable("The payload is not an object.")
    if payload.get("type") != "block_actions":
        return []
    person = _person(_mapping(payload.get("user")).get("id"))
    actions = payload.get("actions")
    asked = (_of_action(payload, person, _mapping(one)) for one in (actions if isinstance(actions, list) else [])[:10])
    return [one for one in asked if one is not None]


def _of_action(payload: Mapping[str, Any], person: str, action: Mapping[str, Any]) -> Asked | None:
    action_id, value, block = (_text(action.get(name)) for name in ("action_id", "value", "block_id"))
    if not action_id.startswith(ACTION_PREFIX):
        return None
    is_note = action_id == NOTE_INPUT
    found = _VALUE.fullmatch(block.removeprefix("note.") if is_note else value)
    team = _text(_mapping(payload.get("team")).get("id"))
    return Asked(
        KIND,
        name="\n".join((person, _text(action.get("action_ts")), action_id, block, value)),
        address=person,
        action="note" if is_note else action_id.removeprefix(ACTION_PREFIX)[:32],
        number=int(found[1]) if found else None,
        text=value.strip()[:NOTE] if is_note else (found[2] or "" if found else ""),
        reply={"response_url": _text(payload.get("response_url"))},
        data={"team": team} if team else {},
    )


def read_command(body: bytes) -> Asked | None:
    """Return what a command asks for; nothing where Slack only looks whether we are there. Raises Unreadable."""
    fields = fields_of(body)
    if "ssl_check" in fields:
        return None
    command = parse(fields.get("text", ""))
    team = fields.get("team_id", "")
    return Asked(
        KIND,
        name="\n".join((fields.get("trigger_id", ""), fields.get("user_id", ""), fields.get("text", ""))),
        address=_person(fields.get("user_id")),
        action=command.action,
        number=command.number,
        text=command.complaint or command.text,
        reply={"response_url": _text(fields.get("response_url"))},
        data={"team": team[:LONGEST]} if team else {},
    )


def _person(value: object) -> str:
    if isinstance(value, str) and _PERSON.fullmatch(value):
        return value
    raise Unreadable("It names nobody.")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value[:3000] if isinstance(value, str) else ""

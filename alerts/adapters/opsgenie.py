"""Opsgenie's Alert API, as its clients and SDKs speak it.

Source: https://docs.opsgenie.com/docs/alert-api. `parse` takes the body of POST /v2/alerts; the functions named
after the other actions take theirs, for an alert known by its alias.
"""

import uuid
from typing import Any

from alerts.adapters._fingerprints import computed
from alerts.adapters._reading import first, json_object, labels, mapping, objects, severity, text, texts
from alerts.adapters._tags import labels_of
from alerts.drafts import Action, Draft
from alerts.incoming import Incoming, IntakeError

TITLE = "Opsgenie Alert API"
SNIPPET = """\
API URL: {url}
API key: {key}
"""

PRIORITIES = {"p1": "critical", "p2": "high", "p3": "medium", "p4": "low", "p5": "low"}


def parse(incoming: Incoming) -> list[Draft]:
    """The one draft of a request that makes an alert. Raises IntakeError (422) without a message, as Opsgenie does."""
    body = json_object(incoming)
    if not text(body.get("message")):
        raise IntakeError("The message can not be empty.", status=422)
    return [draft_of(body)]


def with_alias(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The request with an alias, and that alias: its own, or a new one, for Opsgenie opens an alert each time."""
    given = text(body.get("alias"))
    if given:
        return body, given
    made = str(uuid.uuid4())
    return {**body, "alias": made}, made


def draft_of(body: dict[str, Any]) -> Draft:
    """The draft of a request that has a message. Responders and the like are kept to be read; routes decide here."""
    details, actions = texts(body.get("details")), body.get("actions")
    own = labels(entity=body.get("entity"), source=body.get("source"), severity=body.get("priority"))
    return Draft(
        title=text(body.get("message")),
        fingerprint=text(body.get("alias")) or computed(body.get("message"), body.get("entity"), body.get("source")),
        severity=severity(first(body.get("priority"), "P3"), PRIORITIES),
        description=text(body.get("description")),
        labels={**labels_of(body.get("tags")), **details, **own},
        annotations=labels(
            responders=_names(body.get("responders")),
            visible_to=_names(body.get("visibleTo")),
            actions=", ".join(map(text, actions)) if isinstance(actions, list) else actions,
            note=body.get("note"),
            user=body.get("user"),
        ),
    )


def closed(alias: str, body: Any) -> Draft:
    """What POST /v2/alerts/{id}/close asks for."""
    return _acted(Action.RESOLVE, alias, body)


def acknowledged(alias: str, body: Any) -> Draft:
    """What POST /v2/alerts/{id}/acknowledge asks for."""
    return _acted(Action.ACKNOWLEDGE, alias, body)


def noted(alias: str, body: Any) -> Draft:
    """What POST /v2/alerts/{id}/notes asks for. Raises IntakeError (422) without a note."""
    if not text(mapping(body).get("note")):
        raise IntakeError("The note can not be empty.", status=422)
    return _acted(Action.NOTE, alias, body)


def _acted(action: Action, alias: str, body: Any) -> Draft:
    said = mapping(body)
    return Draft(
        title=alias,
        action=action,
        fingerprint=alias,
        note=text(said.get("note")),
        user=first(said.get("user"), said.get("source")),
    )


def _names(value: Any) -> str:
    """Teams and people, by whatever they are named."""
    return ", ".join(
        first(one.get("name"), one.get("username"), one.get("id")) for one in objects(value) if len(one) > 0
    )

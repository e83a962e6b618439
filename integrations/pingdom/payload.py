"""Pingdom's state change webhook.

Source: https://www.pingdom.com/resources/webhooks/. `check_id` is the identity, and `state_changed_timestamp` (seconds
since 1970) when the present state began, in repeats too. Transaction checks say SUCCESS and FAILING for UP and DOWN.
"""

from typing import Any

from alerts.reading.tags import labels_of
from alerts.reading.values import first, json_object, labels, links, mapping, moment, severity, text
from alerts.reading.values import state as state_of
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest

TITLE = "Pingdom"
SNIPPET = """\
Integrations → Add integration → Type "Webhook":
URL: {url}/intake/{key}/
Then tick it in each check under "Connect integrations".
"""


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return the update of the check."""
    body = json_object(request)
    if not text(body.get("current_state")) or not first(body.get("check_id"), body.get("check_name")):
        raise IntakeError("The payload has no check with a current_state; is this Pingdom's webhook?")
    return [_update(body)]


def _update(body: dict[str, Any]) -> AlertUpdate:
    word = text(body.get("current_state"))
    action, is_guess = state_of(word)
    is_over = action == Action.RESOLVE
    changed_at = moment(first(body.get("state_changed_timestamp"), body.get("state_changed_utc_time")))
    address = first(mapping(body.get("check_params")).get("full_url"), body.get("full_url"))
    return AlertUpdate(
        action=Action.RESOLVE if is_over else Action.FIRE,
        fingerprint=first(body.get("check_id"), body.get("check_name")),
        title=": ".join(filter(None, (text(body.get("check_name")), first(body.get("description"), word)))),
        description=first(body.get("long_description"), body.get("description")),
        severity=severity(body.get("importance_level")),
        severity_word=text(body.get("importance_level")),
        status_word=word,
        is_guess=is_guess,
        labels=_labels(body),
        annotations=_probes(body),
        links=links(("Checked address", address)),
        starts_at=None if is_over else changed_at,
        ends_at=changed_at if is_over else None,
    )


def _labels(body: dict[str, Any]) -> dict[str, str]:
    host = mapping(body.get("check_params")).get("hostname")
    own = labels(check=body.get("check_name"), type=body.get("check_type"), host=host)
    return {**labels_of(body.get("tags")), **own}


def _probes(body: dict[str, Any]) -> dict[str, str]:
    return labels(**{name: mapping(body.get(name)).get("location") for name in ("first_probe", "second_probe")})

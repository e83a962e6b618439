"""Amazon SNS: CloudWatch alarms, and whatever else a topic carries.

Source: https://docs.aws.amazon.com/sns/latest/dg/http-subscription-confirmation-json.html. JSON declared as
text/plain; an alarm is identified by its ARN, or account, region and name.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from alerts.reading.fingerprints import computed
from alerts.reading.values import first, json_object, labels, mapping, moment, objects, state, text
from alerts.updates import Action, AlertUpdate
from intake.requests import IntakeError, IntakeRequest, exact_json
from integrations.generic import payload as generic
from integrations.sns import trust as _sns_trust

TITLE = "Amazon SNS and CloudWatch"
SNIPPET = """\
aws sns subscribe --topic-arn arn:aws:sns:eu-west-1:123456789012:alarms --protocol {scheme} \\
  --notification-endpoint {url}/intake/{key}/
"""
KEPT_HEADERS = ("x-amz-sns-message-type", "x-amz-sns-topic-arn")
IS_SLOW = True

_CONFIRMATION, _GOODBYE = "SubscriptionConfirmation", "UnsubscribeConfirmation"


def parse(request: IntakeRequest) -> list[AlertUpdate]:
    """Return a notification's update; none for subscription messages."""
    body = json_object(request)
    if body.get("Type") in (_CONFIRMATION, _GOODBYE):
        return []
    if "Message" not in body:
        return [_alarm(body, "")] if _is_alarm(body) else _nothing()
    message = _message(body["Message"])
    topic = text(body.get("TopicArn"))
    if _is_alarm(message):
        return [_alarm(message, topic)]
    return [_other(message, body, topic)]


def verify(request: IntakeRequest, secret: str) -> None:
    """Raise IntakeError: 403 unless SNS signed the message lately, 503 when its certificate cannot be fetched.

    `secret` may be the one welcome topic's ARN: SNS signs anybody's.
    """
    body = json_object(request)
    if secret.startswith("arn:") and body.get("TopicArn") != secret:
        raise IntakeError("The message is from a different topic than this source's.", status=403)
    _sns_trust.check(body, dt.datetime.now(dt.UTC))


def greet(request: IntakeRequest) -> bool:
    """Confirm a subscription with a valid signature; note its end."""
    body = json_object(request)
    kind = body.get("Type")
    if kind not in (_CONFIRMATION, _GOODBYE):
        return False
    _sns_trust.check(body, dt.datetime.now(dt.UTC))
    if kind == _CONFIRMATION:
        _sns_trust.confirm(body)
    return True


def delivery_id(request: IntakeRequest) -> str:
    """Return the MessageId, or ""."""
    try:
        return text(json_object(request).get("MessageId"))
    except IntakeError:
        return ""


def _message(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return exact_json(value.encode("utf-8", "surrogatepass"))
    except IntakeError:
        return value


def _is_alarm(message: Any) -> bool:
    return isinstance(message, dict) and bool(text(message.get("AlarmName")))


def _alarm(message: dict[str, Any], topic: str) -> AlertUpdate:
    """Return an alarm's update; missing data does not resolve it."""
    word, since = text(message.get("NewStateValue")), moment(message.get("StateChangeTime"))
    action, is_guess = state(word)
    is_lost, is_over = word == "INSUFFICIENT_DATA", action == Action.RESOLVE
    is_fresh = not is_lost or message.get("OldStateValue") != "ALARM"
    place = [text(message.get(name)) for name in ("AWSAccountId", "Region", "AlarmName")]
    return AlertUpdate(
        title=text(message.get("AlarmName")) + (" has no data" if is_lost and is_fresh else ""),
        action=Action.RESOLVE if is_over else Action.FIRE,
        status_word=word,
        is_guess=is_guess,
        fingerprint=first(message.get("AlarmArn"), ":".join(place)),
        severity="medium" if is_lost and is_fresh else "",
        description="\n\n".join(
            part for part in (text(message.get("AlarmDescription")), text(message.get("NewStateReason"))) if part
        ),
        labels=_labels(message, topic),
        starts_at=since if not is_over and is_fresh else None,
        ends_at=since if is_over else None,
    )


def _labels(message: dict[str, Any], topic: str) -> dict[str, str]:
    trigger = mapping(message.get("Trigger"))
    dimensions = {text(one.get("name")): text(one.get("value")) for one in objects(trigger.get("Dimensions"))}
    return {
        **{name: value for name, value in dimensions.items() if name and value},
        **labels(
            alertname=message.get("AlarmName"),
            account=message.get("AWSAccountId"),
            region=message.get("Region"),
            namespace=first(trigger.get("Namespace"), message.get("Namespace")),
            metric=first(trigger.get("MetricName"), message.get("MetricName")),
            topic=topic,
        ),
    }


def _other(message: Any, body: dict[str, Any], topic: str) -> AlertUpdate:
    subject = text(body.get("Subject"))
    if isinstance(message, dict):
        found = generic.update_of(message, fallback_title=subject or "Message of a topic")
        return replace(found, labels={**found.labels, **labels(topic=topic)})
    said = text(message)
    title = first(subject, said.partition("\n")[0], "Message of a topic")
    return AlertUpdate(title=title, fingerprint=computed(topic, title), description=said, labels=labels(topic=topic))


def _nothing() -> list[AlertUpdate]:
    raise IntakeError("The payload has no Message; is this Amazon SNS?")

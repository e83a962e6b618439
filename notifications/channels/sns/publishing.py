"""What is published to a topic: JSON for programs, text for people, attributes for filters."""

import json
import re
import unicodedata
from typing import Any

from notifications.channels.port import Message
from notifications.channels.webhook.payload import encoded, payload_of
from notifications.channels.webhook.signing import message_id

LONGEST_SUBJECT = 99  # "less than 100"
LONGEST_TEXT = 10_000  # of what people wrote: SNS takes 256 kB in all, and the text is in it three times
LONGEST_SMS = 140
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def request_of(message: Message, topic: str) -> dict[str, Any]:
    """Return the parameters of Publish."""
    request = {
        "TopicArn": topic,
        "MessageStructure": "json",
        "Message": json.dumps({"default": _payload(message), "email": _text(message), "sms": _sms(message)}),
        "MessageAttributes": _attributes(message),
    }
    if subject := subject_of(message):
        request["Subject"] = subject
    if topic.endswith(".fifo"):
        request["MessageGroupId"] = f"incident-{message.incident}" if message.incident is not None else message.kind
        request["MessageDeduplicationId"] = message_id(message.key)
    return request


def subject_of(message: Message) -> str:
    """Return the title as SNS takes it: ASCII, one line, beginning with a visible character."""
    plain = unicodedata.normalize("NFKD", message.title).encode("ascii", "ignore").decode()
    text = " ".join(_CONTROL.sub(" ", plain).split())
    return text[:LONGEST_SUBJECT].rstrip()


def _attributes(message: Message) -> dict[str, dict[str, str]]:
    values = {
        "type": payload_of(message)["type"],
        "kind": message.kind,
        "importance": message.importance,
        "severity": message.severity,
        "status": message.status,
        "reference": message.reference,
        "message_id": message_id(message.key),
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items() if value}


def _payload(message: Message) -> str:
    payload = payload_of(message)
    data = payload["data"]
    data["message"] = {**data["message"], "body": message.body[:LONGEST_TEXT]}
    if event := data["event"]:
        short = {name: pair for name, pair in event["changes"].items() if len(str(pair)) <= LONGEST_TEXT}
        data["event"] = {**event, "body": event["body"][:LONGEST_TEXT], "changes": short}
    return encoded(payload).decode()


def _text(message: Message) -> str:
    parts = (message.title, message.body[:LONGEST_TEXT], "\n".join(message.lines), message.url)
    return "\n\n".join(part for part in parts if part)


def _sms(message: Message) -> str:
    return message.title[:LONGEST_SMS] or message.kind

"""What programs get."""

import datetime as dt
import json
from pathlib import Path

from django.test import SimpleTestCase, override_settings
from jsonschema import Draft202012Validator, FormatChecker

from notifications.channels.port import Message
from notifications.channels.push.tests.test_payload import PAGE
from notifications.channels.webhook import payload

SCHEMA = json.loads((Path(payload.__file__).parent / "schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
EVENT = {
    "type": "incident.acknowledged",
    "timestamp": "2026-11-30T03:15:00Z",
    "data": {
        "incident": {"id": 7, "reference": "INC-7", "is_restricted": False, "title": "Database down", "status": "open"},
        "event": {
            **{"seq": 2, "kind": "acknowledged", "occurred_at": "2026-11-30T03:15:00Z", "actor": "Ada"},
            **{"visibility": "public", "body": "", "changes": {"status": ["open", "acknowledged"]}},
        },
        "page": None,
    },
}
UPDATE = Message(key="d-3", kind="update", title="Ada acknowledged INC-7", incident=7, reference="INC-7", event=EVENT)


class PayloadTests(SimpleTestCase):
    def test_it_follows_its_schema(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)
        for message in (PAGE, UPDATE, *(Message(key="k", kind=kind, title="x") for kind in payload.TYPES)):
            with self.subTest(message.kind):
                content, content_type = payload.body_of(message, "msg_1")

                self.assertEqual(list(VALIDATOR.iter_errors(json.loads(content))), [])
                self.assertEqual(content_type, "application/json")

    def test_it_names_what_happened_and_when(self) -> None:
        for message, expected in (
            (UPDATE, ("incident.acknowledged", "2026-11-30T03:15:00Z")),
            (PAGE, ("incident.paged", "2026-11-30T03:12:00Z")),
        ):
            with self.subTest(message.kind):
                given = payload.payload_of(message)

                self.assertEqual((given["type"], given["timestamp"]), expected)

    @override_settings(PUBLIC_URL="https://incidents.test")
    def test_it_is_a_cloud_event_where_asked(self) -> None:
        content, content_type = payload.body_of(UPDATE, "msg_1", format="cloudevents")

        event = json.loads(content)
        self.assertEqual(content_type, "application/cloudevents+json")
        self.assertEqual(
            {name: event[name] for name in ("specversion", "id", "source", "type", "subject", "time")},
            {
                **{"specversion": "1.0", "id": "msg_1", "source": "https://incidents.test", "subject": "INC-7"},
                **{"type": "incident.acknowledged", "time": "2026-11-30T03:15:00Z"},
            },
        )
        self.assertEqual((event["data"]["version"], event["data"]["incident"]["id"]), (1, 7))
        self.assertNotIn(
            "subject", json.loads(payload.body_of(Message("k", "test", "x"), "m", format="cloudevents")[0])
        )

    def test_it_survives_broken_text(self) -> None:
        content, _type = payload.body_of(Message(key="k", kind="test", title="\ud800\x00ä"), "msg_1")

        self.assertEqual(json.loads(content)["data"]["message"]["title"], "?\x00ä")

    def test_it_says_its_time_in_utc(self) -> None:
        moment = dt.datetime(2026, 11, 30, 12, tzinfo=dt.timezone(dt.timedelta(hours=9)))

        self.assertEqual(
            payload.payload_of(Message(key="k", kind="page", title="x", occurred_at=moment))["timestamp"],
            "2026-11-30T03:00:00Z",
        )

"""Levels that nobody here understands: kept, shown on their source, and taught."""

import json
from unittest import mock

from django.db import IntegrityError
from django.test import TransactionTestCase

from alerts.services.teaching import teach
from alerts.tests.factories import make_key, make_source
from intake.models import UnknownWord
from intake.requests import IntakeRequest
from logs.formats import formats
from logs.models import LogEntry
from logs.services import levels
from users.tests.factories import client_of, make_admin


class UnknownLevelTests(TransactionTestCase):
    def setUp(self) -> None:
        levels._recorded.clear()
        self.admin = make_admin()
        self.source = make_source(name="Collector", kind="logs")
        self.key = make_key(self.source)

    def send(self, *words: str) -> None:
        body = "\n".join(json.dumps({"message": "x", "level": word}) for word in words)
        answer = self.client.post("/api/v1/logs/", body, "application/x-ndjson", headers={"x-api-key": self.key})
        self.assertEqual((answer.status_code, answer.json()["rejected"]), (202, 0), answer.content)

    def stored(self) -> list[tuple[int, dict[str, str]]]:
        return list(LogEntry.objects.order_by("id").values_list("level", "attributes"))

    def test_it_keeps_the_word_and_tells_of_it_on_the_source(self) -> None:
        self.send("purple", "purple", "error")
        self.send("purple")  # within the same seconds

        shown = client_of(self.admin).get(f"/api/v1/sources/{self.source.pk}/").json()["unknown_words"]
        self.assertEqual([(one["field"], one["word"], one["count"]) for one in shown], [("severity", "purple", 2)])
        self.assertEqual(self.stored(), [(3, {"level": "purple"})] * 2 + [(5, {}), (3, {"level": "purple"})])

    def test_it_does_as_it_was_taught(self) -> None:
        self.send("purple")
        teach(self.source, about="severity", word="purple", means="high", is_applied=True, by=self.admin)

        self.send("Purple")

        self.assertEqual(self.stored(), [(3, {"level": "purple"}), (5, {"level": "Purple"})])
        self.assertFalse(UnknownWord.objects.exists())

    def test_it_loses_no_line_where_another_process_tells_of_the_same_word(self) -> None:
        with mock.patch("logs.services.levels._write", side_effect=IntegrityError):
            self.send("purple")
        self.send("purple")

        self.assertEqual(len(self.stored()), 2)
        self.assertEqual(UnknownWord.objects.get().word, "purple")

    def test_it_hears_of_them_in_every_format(self) -> None:
        bodies = {
            "own": {"message": "x", "level": "purple"},
            "gelf": {"short_message": "x", "level": "purple"},
            "hec": {"event": "x", "fields": {"severity": "purple"}},
            "loki": {"streams": [{"stream": {"level": "purple"}, "values": [["1795946400000000000", "x"]]}]},
            "otlp": {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityText": "purple", "body": {}}]}]}]},
        }
        for format, body in bodies.items():
            with self.subTest(format):
                (line,) = formats()[format].parse(IntakeRequest("POST", "/", {}, json.dumps(body).encode())).lines

                self.assertEqual((line.unknown_level, line.level.word), ("purple", "info"))

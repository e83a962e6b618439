"""Splunk's collector: its keys, answers and numbers."""

from typing import Any

from alerts.tests.factories import make_key, make_source
from logs.models import LogEntry
from logs.tests.endpoints import LogEndpointTests


class HecEndpointTests(LogEndpointTests):
    def send(self, path: str, body: bytes, authorization: str | None = None) -> Any:
        header = f"Splunk {self.key}" if authorization is None else authorization
        return self.post(f"/services/collector{path}", body, **{"content-type": "", "authorization": header})

    def test_it_takes_events_at_all_its_addresses(self) -> None:
        for path in ("", "/event", "/event/1.0"):
            with self.subTest(path=path):
                answer = self.send(path, b'{"event": "a"}{"event": {"message": "b"}}')

                self.assertEqual((answer.status_code, answer.json()), (200, {"text": "Success", "code": 0}))
        self.assertEqual(self.messages(), ["a", "b"] * 3)

    def test_it_takes_raw_lines(self) -> None:
        for path in ("/raw", "/raw/1.0?host=h"):
            self.assertEqual(self.send(path, b"one\ntwo\n").status_code, 200)

        self.assertEqual(self.messages(), ["one", "two"] * 2)
        self.assertEqual(LogEntry.objects.filter(host="h").count(), 2)

    def test_it_answers_with_splunks_numbers(self) -> None:
        for body, authorization, status, code, text in (
            (b"{}", "", 401, 2, "Token is required"),
            (b"{}", "Nonsense", 401, 3, "Invalid authorization"),
            (b"{}", "Splunk nonsense", 403, 4, "Invalid token"),
            (b"", None, 400, 5, "No data"),
            (b"nonsense", None, 400, 6, "Invalid data format"),
            (b'{"host": "a"}', None, 400, 12, "Event field is required"),
            (b'{"event": ""}', None, 400, 13, "Event field cannot be blank"),
        ):
            with self.subTest(code=code):
                answer = self.send("/event", body, authorization)

                self.assertEqual((answer.status_code, answer.json()["code"]), (status, code))
                self.assertTrue(answer.json()["text"].startswith(text), answer.json())

    def test_it_says_that_a_key_is_of_a_source_of_alerts(self) -> None:
        answer = self.send("/event", b'{"event": "a"}', f"Splunk {make_key(make_source())}")

        self.assertEqual((answer.status_code, answer.json()["code"]), (403, 7))
        self.assertIn("need a source of kind logs", answer.json()["text"])

    def test_it_takes_the_token_from_the_query(self) -> None:
        answer = self.send(f"/raw?token={self.key}", b"one", "")

        self.assertEqual(answer.status_code, 200)

    def test_it_answers_options_on_whatever_path_a_client_is_set_to(self) -> None:
        for path in ("", "/", "/event", "/event/", "/event/1.0", "/raw", "/raw/1.0/", "/health", "/mint/1.0", "/ack"):
            answer = self.client.options(f"/services/collector{path}", headers={"host": "10.0.0.5"})

            self.assertEqual((answer.status_code, answer["Allow"]), (200, "OPTIONS, POST"), path)
        self.assertEqual(self.client.options("/services/collectors").status_code, 404)

    def test_it_says_that_it_is_well_without_a_token(self) -> None:
        for path in ("/health", "/health/1.0"):
            answer = self.client.get(f"/services/collector{path}")

            self.assertEqual((answer.status_code, answer.json()["code"]), (200, 17))

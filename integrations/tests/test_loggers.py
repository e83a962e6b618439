"""Records and lines of the loggers, databases and servers of this world: their levels, messages, times and hosts."""

import datetime as dt
import json
from pathlib import Path

from django.test import SimpleTestCase

from intake.requests import IntakeRequest
from logs.formats import formats
from logs.reading.records import level_in, line_of
from logs.reading.times import moment
from logs.tailing.times import time_in
from logs.vocabulary import Level

TEN = dt.datetime(2026, 11, 29, 10, 0, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
ISO, MILLIS = "2026-11-29T10:00:00Z", 1795946400000
# What each writes, all at TEN, and what of it is the level, message, host, service and trace.
RECORDS = json.loads((Path(__file__).parent / "loggers.json").read_text(encoding="utf-8"))
LINES = [
    ("[10:00:00 ERR] boom", Level.ERROR),
    ("10:00AM FTL died", Level.CRITICAL),
    ("2026-11-29T10:00:00.000Z  INF x", Level.INFO),
    ("FATA[0000] cannot start", Level.CRITICAL),
    ("fail: Shop.Pay[0]", Level.ERROR),
    ("dbug: Shop.Pay[0]", Level.DEBUG),
    ("E, [2026-11-29T10:00:00.123456 #1] ERROR -- : x", Level.ERROR),
    ("<11>Nov 29 10:00:00 h app: x", Level.ERROR),
    ("<165>1 2026-11-29T10:00:00Z h app - - - x", Level.INFO),
    ("1234:M 29 Nov 2026 10:00:00.123 # Out of memory", Level.WARNING),
    ("1234:M 29 Nov 2026 10:00:00.123 * Ready", Level.INFO),
    ("[29-Nov-2026 10:00:00 UTC] PHP Fatal error:  x", Level.CRITICAL),
    ("PHP Parse error:  x", Level.ERROR),
    ("2026-11-29 10:00:00.000 UTC [12] ERROR:  relation", Level.ERROR),
    ("2026-11-29  9:00:00 0 [Warning] x", Level.WARNING),
    ("[2026-11-29T10:00:00,000][ERROR][o.e.b] x", Level.ERROR),
    ("[ALERT] 332/1000 (1) : x", Level.CRITICAL),
    ("2026/11/29 10:00:00 [crit] 1#1: x", Level.CRITICAL),
    ("\x1b[31merror\x1b[39m: x", Level.ERROR),
    ('{"time":"x","level":"error","msg":"y"}', Level.ERROR),
    ('{"' + "a" * 300 + '":1,"LogLevel":"Critical","Message":"y"}', Level.CRITICAL),
    ('{"message":"y","level":50}', Level.ERROR),
    ("the FTL layer and the ERR diode", None),
    ("(note that all is well)", None),
]
VALUES = [
    "2026-11-29 12:00:00 +0200 +0200", "2026-11-29 11:00:00 +0100 CET", "2026-11-29 10:00:00 +0000 UTC m=+12.5",
    "20261129T100000Z", "20261129T110000.000+0100", "20261129100000", "2026-11-29T10:00:00,000Z", "2026-11-29T10:00Z",
    "2026-11-29T11:00:00+01:00[Europe/Paris]", "2026-11-29T11:00:00+01", "2026-11-29 9:59:60", "2026/11/29 10:00:00",
    "2026.11.29 10:00:00.000000", "2026-11-29 15:30:00 +0530 IST", "2026-11-29 05:00:00 EST", "2026-11-29_10:00:00",
    "Sun, 29 Nov 2026 10:00:00 +0000", "Sunday, 29-Nov-26 10:00:00 GMT", "29 Nov 2026 10:00:00.000",
    "29 Nov 26 10:00 UTC",    "Sun Nov 29 10:00:00 2026", "Sun Nov 29 11:00:00 CET 2026",
    "[Sun Nov 29 10:00:00.000000 2026]",
    "Sun Nov 29 2026 11:00:00 GMT+0100 (Central European Standard Time)", "Nov 29, 2026, 10:00:00 AM",
    "29/Nov/2026:10:00:00 +0000", "[29/Nov/2026:11:00:00 +0100]", "[29-Nov-2026 11:00:00 Europe/Berlin]",
    "Nov 29 10:00:00", "29.11.2026 10:00:00", "11/29/2026 10:00:00 AM", "29/11/2026 10:00:00", "/Date(1795946400000)/",
    1795946400, MILLIS, MILLIS * 1000, MILLIS * 10**6, "1795946400", "1795946400.000", "1.7959464e9",
    [2026, 11, 29, 10, 0],    {"$date": MILLIS}, {"seconds": 1795946400, "nanos": 0}, {"epochSecond": "1795946400"},
]  # fmt: skip
NO_TIMES = [
    "", "x", "03/04/2026 10:00:00", "2026-13-40 10:00:00", "2026-11-29 10:00:00 XYZ", "2026-11-29 10:00:00 No/Where",
    True,    None, [], {}, "0001-01-01T00:00:00Z", 0, -1, 1e300, float("nan"),
    {"$date": {"$date": {}}}, "Nov 31 10:00:00",
]  # fmt: skip


class RecordTests(SimpleTestCase):
    def test_it_reads_what_the_loggers_write(self) -> None:
        for known in RECORDS:
            with self.subTest(known["logger"]):
                line = line_of(known["record"])

                said = {name: getattr(line, name) for name in ("message", "host", "service", "trace_id")}
                self.assertEqual({**said, "level": line.level.word}, {name: known[name] for name in (*said, "level")})
                self.assertEqual((line.timestamp, line.unknown_level), (TEN, ""))

    def test_it_keeps_a_level_that_it_does_not_know(self) -> None:
        line = line_of({"message": "x", "level": "purple", "timestamp": ISO})
        known = line_of({"message": "x", "level": "purple", "severity": "error"})

        self.assertEqual((line.level, line.unknown_level, line.attributes), (Level.INFO, "purple", {"level": "purple"}))
        self.assertEqual((known.level, known.unknown_level), (Level.ERROR, ""))

    def test_it_takes_no_status_for_a_level(self) -> None:
        for record in (
            {"status": 502},
            {"status": "200"},
            {"status": "open"},
            {"type": "log"},
            {"label": "x"},
            {"s": "e"},
        ):
            with self.subTest(record=record):
                line = line_of({"message": "x", **record})

                self.assertEqual((line.level, line.unknown_level, line.attributes), (Level.INFO, "", record))

    def test_it_survives_any_value_of_any_field(self) -> None:
        for known in RECORDS:
            record = known["record"]
            for key in record:
                for value in (None, "", [], {}, [[]], {"a": {}}, True, -1, 1e308, "\ud800", {key: record}, 2**70):
                    self.assertIsNotNone(line_of({**record, key: value}) or not record)

    def test_it_reads_the_level_of_lines_of_text(self) -> None:
        for text, level in LINES:
            with self.subTest(text):
                self.assertEqual(level_in(text), level)


class MarkTests(SimpleTestCase):
    def test_it_takes_a_byte_order_mark_for_no_content(self) -> None:
        message = {"own": "message", "gelf": "short_message", "hec": "event"}
        for format, name in message.items():
            lines = "\n".join(json.dumps({name: word}) for word in ("first", "zweitens ü"))
            for encoding, mark in (
                ("utf-8", "\ufeff"),
                ("utf-16-le", "\ufeff"),
                ("utf-16-be", "\ufeff"),
                ("utf-8", "\n\ufeff"),
            ):
                with self.subTest(format=format, encoding=encoding):
                    parsed = formats()[format].parse(IntakeRequest("POST", "/", {}, (mark + lines).encode(encoding)))

                    self.assertEqual([line.message for line in parsed.lines], ["first", "zweitens ü"])

    def test_it_takes_one_off_what_names_no_type(self) -> None:
        push = {"streams": [{"stream": {"app": "a"}, "values": [[str(MILLIS * 10**6), "x"]]}]}
        logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}]}]}]}
        for format, value in (("loki", push), ("otlp", logs)):
            with self.subTest(format):
                parsed = formats()[format].parse(
                    IntakeRequest("POST", "/", {}, b"\xef\xbb\xbf" + json.dumps(value).encode())
                )

                self.assertEqual([line.message for line in parsed.lines], ["x"])


class DockerTests(SimpleTestCase):
    """The Splunk driver's formats: inline, json and raw."""

    def parse(self, event: object) -> tuple[str, str, str, str]:
        body = json.dumps({"event": event, "time": "1795946400.000", "host": "node-1"}).encode()
        line = formats()["hec"].parse(IntakeRequest("POST", "/services/collector/event/1.0", {}, body)).lines[0]
        self.assertEqual((line.host, line.timestamp), ("node-1", TEN))
        return line.message, line.level.word, line.service, str(line.attributes.get("tag", ""))

    def test_it_takes_the_line_for_the_message(self) -> None:
        about = {"source": "stderr", "tag": "shop/a1b2"}

        inline = self.parse({"line": "ERROR payment 4711 failed", **about})
        record = self.parse({"line": {"level": "warn", "msg": "late", "service": "pay"}, **about})
        within = self.parse({"line": json.dumps({"level": "warn", "msg": "late", "service": "pay"}), **about})
        raw = self.parse("shop/a1b2 ERROR payment 4711 failed")

        self.assertEqual(inline, ("ERROR payment 4711 failed", "error", "shop/a1b2", "shop/a1b2"))
        self.assertEqual(record, ("late", "warning", "pay", "shop/a1b2"))
        self.assertEqual(within, ("late", "warning", "pay", "shop/a1b2"))
        self.assertEqual(raw[:2], ("shop/a1b2 ERROR payment 4711 failed", "error"))


class TimeTests(SimpleTestCase):
    def test_it_reads_times_as_programs_write_them(self) -> None:
        for value in VALUES:
            with self.subTest(value=value):
                self.assertEqual(moment(value, lambda: NOW), TEN)

    def test_it_guesses_at_none(self) -> None:
        for value in NO_TIMES:
            with self.subTest(value=value):
                self.assertIsNone(moment(value))

    def test_it_reads_those_that_lines_begin_with(self) -> None:
        for line in (
            "1234:M 29 Nov 2026 10:00:00.000 * Ready",
            "[29-Nov-2026 10:00:00 UTC] PHP Warning:  x",
            "29-Nov-2026 10:00:00.000 INFO [main] x",
            "Nov 29, 2026 10:00:00 AM org.apache.catalina x",
            "2026-11-29 11:00:00.000 CET [12] LOG:  x",
            "2026-11-29 10:00:00+00 x",
            "2026-11-29 10:00:00 0 [Note] x",
            "2026-11-29 10:00:00 INFO x",
            "261129 10:00:00 [Note] x",
            "haproxy[1]: 10.0.0.1:80 [29/Nov/2026:10:00:00.000] a b",
            "20261129T100000Z x",
            "29.11.2026 10:00:00 x",
            "<13>Nov 29 10:00:00 h x",
        ):
            with self.subTest(line):
                self.assertEqual(time_in(line, NOW), TEN)

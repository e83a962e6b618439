"""Following files, joining records, and the times that their lines begin with."""

import datetime as dt
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
from django.test import SimpleTestCase

from logs.lines import Line
from logs.reading.records import line_of
from logs.tailing import Follower, Joiner, line_from
from logs.tailing.sending import LinesRejected, ToServer, as_record
from logs.tailing.times import has_time, time_in
from logs.vocabulary import Level

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
LOGHUB = Path(__file__).resolve().parents[3] / "shared" / "data" / "logs" / "loghub_2k"


def joined(*lines: str) -> list[str]:
    """The records of a file of these lines."""
    joiner = Joiner()
    return [record for line in lines for record in joiner.feed(line)] + joiner.flush()


class FollowerTests(SimpleTestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "app.log"

    def follow(self, *, from_start: bool = True) -> Follower:
        follower = Follower(self.path, from_start=from_start)
        self.addCleanup(follower.close)
        return follower

    def add(self, text: str) -> None:
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(text)

    def test_it_waits_for_the_end_of_a_line(self) -> None:
        self.add("one\ntw")
        follower = self.follow()

        self.assertEqual(follower.poll(), ["one"])
        self.add("o\r\nthree")
        self.assertEqual(follower.poll(), ["two"])
        self.assertEqual(follower.poll(), [])
        self.assertEqual(follower.finish(), ["three"])

    def test_it_begins_at_the_end_unless_told_otherwise(self) -> None:
        self.add("old\n")
        follower = self.follow(from_start=False)
        self.add("new\n")

        self.assertEqual(follower.poll(), ["new"])

    def test_it_waits_for_a_file_that_is_not_there_yet(self) -> None:
        follower = self.follow(from_start=False)

        self.assertEqual(follower.poll(), [])
        self.add("first\n")
        self.assertEqual(follower.poll(), ["first"])

    def test_it_loses_nothing_when_the_file_is_rotated(self) -> None:
        self.add("one\n")
        follower = self.follow()
        follower.poll()
        with self.path.open("a", encoding="utf-8") as old:
            self.path.rename(self.path.with_suffix(".1"))
            self.assertEqual(follower.poll(), [])
            old.write("two\nlast words")
        self.add("three\n")

        self.assertEqual(follower.poll(), ["two"])
        self.assertEqual(follower.poll(), ["last words", "three"])

    def test_it_begins_anew_when_the_file_is_emptied(self) -> None:
        self.add("a long first line\npart")
        follower = self.follow()
        follower.poll()
        self.path.write_text("new\n", encoding="utf-8")

        self.assertEqual(follower.poll(), ["new"])

    def test_it_takes_a_line_without_an_end_in_pieces(self) -> None:
        self.path.write_bytes(b"x" * (1024 * 1024 * 2 + 5) + b"\xff\n")
        follower = self.follow()

        lines = [line for _ in range(4) for line in follower.poll()]

        self.assertGreaterEqual(len(lines), 2)
        self.assertEqual("".join(lines), "x" * (1024 * 1024 * 2 + 5) + "\ufffd")


class JoinerTests(SimpleTestCase):
    def test_it_joins_stack_traces_to_their_line(self) -> None:
        python = (
            "2026-11-21 12:00:00,1 ERROR failed",
            "Traceback (most recent call last):",
            '  File "a.py", line 1, in f',
            "    g()",
            "ValueError: no",
            "",
            "During handling of the above exception, another exception occurred:",
            "",
            "Traceback (most recent call last):",
            '  File "a.py", line 2, in f',
            "shop.errors.Refused",
        )
        java = (
            "12:00 nothing",
            "java.lang.IllegalStateException: no",
            "\tat a.b.C.d(C.java:1)",
            "Caused by: java.io.IOException",
            "\t... 12 more",
        )
        go = ("panic: boom", "goroutine 1 [running]:", "main.main()", "\t/tmp/a.go:3 +0x1d")

        found = joined(*python, "2026-11-21 12:00:01 INFO fine", *java)

        self.assertEqual(found[0], "\n".join(python))
        self.assertEqual(found[1], "2026-11-21 12:00:01 INFO fine")
        self.assertEqual(found[2:], ["12:00 nothing", "\n".join(java[1:])])
        self.assertEqual(joined(*go), ["\n".join(go)])

    def test_it_keeps_plain_lines_and_json_apart(self) -> None:
        lines = ['{"a": 1}', '{"b": 2}', "one", "two"]

        self.assertEqual(joined(*lines[:2], "", *lines[2:]), lines)

    def test_it_ends_a_record_that_does_not_end(self) -> None:
        found = joined("start", *["  more"] * 1200)

        self.assertEqual([len(record.split("\n")) for record in found], [500, 500, 201])


class TimeTests(SimpleTestCase):
    def test_it_reads_the_times_of_many_logs(self) -> None:
        for line, expected in (
            ("2015-10-18 18:01:47,978 INFO [main] x", "2015-10-18T18:01:47.978000+00:00"),
            ("2026-11-21T09:30:00.123456789Z x", "2026-11-21T09:30:00.123456+00:00"),
            ("[2026-11-21T10:30:00+0100] x", "2026-11-21T09:30:00+00:00"),
            ("2026/11/21 09:30:00 [error] 31#31: *1 x", "2026-11-21T09:30:00+00:00"),
            ("[Sun Dec 04 04:47:44 2005] [notice] x", "2005-12-04T04:47:44+00:00"),
            ("[Sun Dec  4 04:47:44.123456 2005] [notice] x", "2005-12-04T04:47:44.123456+00:00"),
            ('1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET /"', "2000-10-10T20:55:36+00:00"),
            ("Dec 10 06:55:46 LabSZ sshd[24200]: x", "2025-12-10T06:55:46+00:00"),
            ("<34>Nov 21 11:00:00 host x", "2026-11-21T11:00:00+00:00"),
            ("Feb 29 11:00:00 host x", "2024-02-29T11:00:00+00:00"),
            ("E1121 09:30:00.5  12 main.go:3] x", "2026-11-21T09:30:00.500000+00:00"),
            ("081109 203615 148 INFO dfs.DataNode: x", "2008-11-09T20:36:15+00:00"),
        ):
            with self.subTest(line=line):
                found = time_in(line, NOW)

                self.assertEqual(found.isoformat() if found else None, expected)
                self.assertTrue(has_time(line))

    def test_it_finds_no_time_where_there_is_none(self) -> None:
        for line in ("", "hello", "2026-13-45 99:99:99 x", "  2026", "999999 999999 x", "0001-01-01T00:00:00+12:00 x"):
            with self.subTest(line=line):
                self.assertIsNone(time_in(line, NOW))

    def test_it_takes_times_without_a_zone_as_of_the_one_it_is_told(self) -> None:
        found = time_in("2026-07-01 12:00:00 x", NOW, ZoneInfo("Europe/Zurich"))

        self.assertEqual(found, dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC))

    def test_it_reads_a_time_and_a_level_from_nearly_every_line_of_real_logs(self) -> None:
        if not LOGHUB.is_dir():
            self.skipTest("the sample logs are not there")
        for name in ("Apache", "HDFS", "Hadoop", "OpenSSH", "OpenStack", "Zookeeper"):
            text = (LOGHUB / name / f"{name}_2k.log").read_text(encoding="utf-8", errors="replace")
            records = joined(*text.splitlines())
            with self.subTest(name=name):
                timed = sum(time_in(record, NOW) is not None for record in records)
                levels = {line_from(record, service=name, host="", now=NOW).level for record in records}

                self.assertGreaterEqual(len(records), 1900)
                self.assertGreaterEqual(timed, len(records) * 0.99)
                self.assertGreaterEqual(len(levels), 1 if name == "OpenSSH" else 2)


class ReadingTests(SimpleTestCase):
    def test_it_keeps_the_text_whole(self) -> None:
        line = line_from("Dec 10 06:55:46 LabSZ sshd[1]: error: no", service="sshd", host="h", now=NOW)

        self.assertEqual(
            (line.message, line.service, line.host), ("Dec 10 06:55:46 LabSZ sshd[1]: error: no", "sshd", "h")
        )

    def test_it_reads_json_as_json(self) -> None:
        line = line_from('{"msg": "a", "level": "warn", "app": "own", "n": 1}', service="s", host="h", now=NOW)

        self.assertEqual(line, Line("a", NOW, Level.WARNING, "own", "h", {"n": 1}))

    def test_it_takes_broken_json_as_text(self) -> None:
        self.assertEqual(line_from("{oops", service="s", host="h", now=NOW).message, "{oops")


class SendingTests(SimpleTestCase):
    def send(self, *answers: httpx2.Response | Exception, attempts: int | None = 3) -> int:
        remaining, self.requests, self.waits = list(answers), [], []

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            given = remaining.pop(0)
            if isinstance(given, Exception):
                raise given
            return given

        client = httpx2.Client(transport=httpx2.MockTransport(answer))
        target = ToServer("http://x.test/", "k", attempts=attempts, client=client, sleep=self.waits.append)
        return target.send([Line("a", NOW, service="s")])

    def test_it_tries_again_while_the_server_cannot(self) -> None:
        taken = self.send(
            httpx2.ConnectError("refused"),
            httpx2.Response(503, headers={"retry-after": "7"}),
            httpx2.Response(202, json={"accepted": 1}),
        )

        self.assertEqual((taken, self.waits), (1, [1.0, 7.0]))
        self.assertEqual(str(self.requests[0].url), "http://x.test/api/v1/logs/")
        self.assertEqual(self.requests[0].headers["authorization"], "Bearer k")

    def test_it_gives_up_where_it_is_told_to(self) -> None:
        with self.assertRaisesMessage(LinesRejected, "tried 2 times"):
            self.send(*[httpx2.Response(500)] * 2, attempts=2)

    def test_it_gives_up_at_once_where_the_server_does_not_want(self) -> None:
        with self.assertRaisesMessage(LinesRejected, "403: no such key"):
            self.send(httpx2.Response(403, json={"detail": "no such key"}))

    def test_it_writes_lines_so_that_they_are_read_back(self) -> None:
        line = Line("a", NOW, Level.ERROR, "s", "h", {"n": 1, "level": "kept out", "msg": "b"}, "ab" * 16)

        read = line_of(as_record(line))

        self.assertEqual(read, Line("a", NOW, Level.ERROR, "s", "h", {"n": 1, "msg": "b"}, "ab" * 16))

    def test_it_hands_on_a_level_that_it_does_not_know(self) -> None:
        line = line_from('{"message": "x", "level": "purple"}', service="s", host="h", now=NOW)

        read = line_of(as_record(line))

        self.assertEqual((read.unknown_level, read.level), ("purple", Level.INFO))

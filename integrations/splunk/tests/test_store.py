"""Splunk as a store of rules, against the stand-in that splunk-sdk certifies."""

import datetime as dt
import json
import tempfile
from pathlib import Path
from unittest import mock

from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, override_settings

from e2e.clients import splunk_search
from e2e.environments import Environment
from e2e.stand_ins.serving import Reply, of_json, of_text
from e2e.stand_ins.splunk import EXPORT, EXPORT_V2, INFO, TOKEN, Splunk
from e2e.tls import write_certificates
from integrations.splunk import client, store
from logs.sources.outside import Found, Limits, StoreFailed

UNTIL = dt.datetime(2026, 12, 1, 10, 5, tzinfo=dt.UTC)
SINCE = UNTIL - dt.timedelta(minutes=5)
JUST = dt.timedelta(milliseconds=1)


def busy(status: int) -> Reply:
    return of_json(status, {"messages": [{"type": "ERROR", "text": "Too many searches."}]})


@override_settings(SPLUNK_URL="", SPLUNK_TOKEN=TOKEN, SPLUNK_CA="", SPLUNK_LAG_SECONDS=60)
class SplunkCase(SimpleTestCase):
    def setUp(self) -> None:
        client.version.cache_clear()
        self.addCleanup(client.version.cache_clear)

    def serve(self, **options: object) -> Splunk:
        stand_in = self.enterContext(Splunk(**options))
        self.enterContext(self.settings(SPLUNK_URL=stand_in.url))
        return stand_in

    def search(self, query: str = "search *", **limits: float) -> Found:
        return store.STORE.search(store.validate(query), SINCE, UNTIL, Limits(**limits))

    def refused(self, query: str = "search *") -> StoreFailed:
        with self.assertRaises(StoreFailed) as caught:
            self.search(query)
        return caught.exception


class RowsTests(SplunkCase):
    def test_it_finds_the_events_of_a_window_without_its_end(self):
        splunk = self.serve()
        for at in (SINCE - JUST, SINCE, UNTIL - JUST, UNTIL):
            splunk.add(at, f"level=ERROR at={at:%H:%M:%S.%f}", host="web-3")

        found = self.search("level=error")

        self.assertEqual([row.at for row in found.rows], [UNTIL - JUST, SINCE])
        self.assertEqual((found.is_cut, found.rows[1].text), (False, "level=ERROR at=10:00:00.000000"))
        self.assertEqual((found.rows[0].fields["host"], found.rows[0].fields["level"]), ("web-3", "ERROR"))

    def test_it_finds_nothing_where_nothing_is(self):
        self.serve()

        self.assertEqual(self.search(), Found([]))

    def test_it_counts_the_rows_of_commands_and_no_previews(self):
        splunk = self.serve()
        for number in range(8):
            splunk.add(SINCE, f"number={number}", host=f"web-{number % 2}")

        counted = self.search("* | stats count by host")
        first = self.search("* | head 3")

        self.assertEqual([row.text for row in counted.rows], ["host=web-0 count=4", "host=web-1 count=4"])
        self.assertEqual(len(first.rows), 3)

    def test_it_ignores_previews_that_come_all_the_same(self):
        splunk = self.serve()
        lines = [
            {"preview": True, "offset": 0, "lastrow": True, "result": {"count": "1"}},
            {"preview": False, "offset": 0, "result": {"count": "2"}},
            {"preview": False, "offset": 1, "lastrow": True, "result": {"count": ["3", "4"]}},
            {"preview": False, "lastrow": True},
        ]
        splunk.refuses = [splunk_info(), of_text(200, "\n".join(map(json.dumps, lines)))]

        self.assertEqual([row.fields["count"] for row in self.search().rows], ["2", "3, 4"])

    def test_it_asks_at_the_address_of_the_version_once_found(self):
        for version, is_cloud, has_v2 in splunk_search.VERSIONS + splunk_search.CLOUD_VERSIONS:
            with self.subTest(version):
                client.version.cache_clear()
                splunk = self.serve(version=version, is_cloud=is_cloud)

                self.search()
                self.search()

                export = EXPORT_V2 if has_v2 else EXPORT
                self.assertEqual([one.path for one in splunk.requests], [INFO, export, export])

    def test_it_warns_in_splunks_words_and_takes_partial_answers_for_cut(self):
        splunk = self.serve()
        splunk.add(SINCE, "number=1")
        for text, is_cut, is_late in (
            ("A lookup is old.", False, False),
            ("Search results might be incomplete: a peer is away.", True, True),
            ("The results of the subsearch were truncated.", True, False),
        ):
            splunk.messages = [{"type": "WARN", "text": text}]
            with self.subTest(text):
                found = self.search()

                self.assertEqual((found.warnings, len(found.rows)), ((text,), 1))
                self.assertEqual((found.is_cut, found.is_late), (is_cut, is_late))


class LimitTests(SplunkCase):
    def setUp(self) -> None:
        super().setUp()
        self.splunk = self.serve()
        for number in range(50):
            self.splunk.add(SINCE, f"number={number} " + "x" * 1000)

    def test_it_takes_no_more_rows_or_bytes_than_it_may(self):
        by_rows, by_bytes, whole = self.search(rows=20), self.search(max_bytes=20_000), self.search(rows=50)

        self.assertEqual((len(by_rows.rows), by_rows.is_cut), (20, True))
        self.assertTrue(0 < len(by_bytes.rows) < 50 and by_bytes.is_cut)
        self.assertEqual((len(whole.rows), whole.is_cut), (50, False))

    def test_it_waits_no_longer_than_it_may(self):
        self.search()
        self.splunk.delay = 2.0

        with self.assertRaisesMessage(StoreFailed, "Splunk did not answer within 0 seconds."):
            self.search(seconds=0.3)

    def test_it_keeps_what_came_in_time(self):
        self.search()
        with mock.patch.object(client._Reading, "_lines", lambda self, parts: iter(stalled(parts))):
            found = self.search()

        self.assertEqual((len(found.rows), found.is_cut, found.is_late), (1, True, True))


def stalled(parts):
    """The first line, then nothing until the time is over."""
    yield next(iter(parts)).split(b"\n")[0]
    raise client.TimedOut("ReadTimeout")


def splunk_info() -> Reply:
    return of_json(200, {"entry": [{"content": {"version": "9.4.1"}}]})


class FailureTests(SplunkCase):
    def test_it_takes_half_an_answer_for_a_failure(self):
        splunk = self.serve()
        for number in range(20):
            splunk.add(SINCE, f"number={number}")

        splunk.ends_early = True
        quiet = self.refused()
        splunk.ends_early, splunk.kills = False, lambda request: request.path == EXPORT_V2
        killed = self.refused()
        gone = self.refused()
        splunk.start()

        self.assertEqual(quiet.message, "Splunk's answer broke off before its end (no last row).")
        self.assertIn("broke off before its end", killed.message)
        self.assertIn("cannot be reached", gone.message)
        self.assertFalse(quiet.is_permanent or killed.is_permanent or gone.is_permanent)
        self.assertEqual(len(self.search().rows), 20)

    def test_it_says_what_splunk_refuses(self):
        self.serve()

        wrong = self.refused("* | nonsense")
        with self.settings(SPLUNK_TOKEN="expired"):
            barred = self.refused()

        self.assertEqual(wrong.message, "Splunk refused the query: Unknown search command 'nonsense'.")
        self.assertIn("Splunk refused SPLUNK_TOKEN (HTTP 401)", barred.message)
        self.assertTrue(wrong.is_permanent and barred.is_permanent)
        self.assertNotIn("expired", barred.message.replace("has expired", ""))

    def test_it_repeats_no_token(self):
        self.serve().refuses = [of_json(500, {"messages": [{"text": f"Bearer {TOKEN}"}]})] * 3

        self.assertIn("Bearer …", self.refused().message)

    def test_it_hears_errors_that_come_with_status_200(self):
        splunk = self.serve()
        splunk.add(SINCE, "number=1")
        for text, is_permanent in (
            ("Error in 'lookup' command: Could not construct lookup.", True),
            ("Unable to distribute to peer named idx-2.", False),
        ):
            splunk.messages = [{"type": "ERROR", "text": text}]
            with self.subTest(text):
                failure = self.refused()

                self.assertEqual(failure.message, f"Splunk could not finish the search: {text}")
                self.assertIs(failure.is_permanent, is_permanent)

    def test_it_fails_on_what_is_shaped_otherwise(self):
        splunk = self.serve()
        for line in (
            '{"lastrow":true,"result":null}',
            '{"messages":["x"]}',
            '{"messages":{"type":"FATAL"}}',
            '{"results":5}',
        ):
            splunk.refuses = [splunk_info(), of_text(200, line)]
            client.version.cache_clear()
            with self.subTest(line):
                self.assertIn("is not the JSON", self.refused().message)

    def test_it_hears_for_how_long_splunk_asks_to_wait(self):
        self.serve().refuses = [splunk_info(), of_json(503, {"messages": []}, **{"Retry-After": "90"})]

        self.assertEqual(self.refused().wait, 90)

    def test_it_tries_later_what_may_pass(self):
        splunk = self.serve()
        for reply, said in (
            (busy(503), "Splunk failed (HTTP 503): Too many searches."),
            (busy(429), "Splunk failed (HTTP 429): Too many searches."),
            (of_text(404, "Not Found"), "No Splunk management service answers"),
            (Reply(303, b"", {"Location": "/en-US/"}), "its port is 8089"),
            (of_text(200, "<html>"), "is not the JSON"),
        ):
            client.version.cache_clear()
            splunk.refuses = [splunk_info(), reply]
            with self.subTest(said):
                failure = self.refused()

                self.assertIn(said, failure.message)
                self.assertFalse(failure.is_permanent)

    def test_it_looks_for_the_version_again_when_the_address_is_gone(self):
        splunk = self.serve(version="9.0.1")
        self.search()
        splunk.refuses = [of_text(404, "Not Found")]
        self.refused()
        splunk.version = "9.0.2"

        self.search()

        self.assertEqual([one.path for one in splunk.requests], [INFO, EXPORT, EXPORT, INFO, EXPORT_V2])


class CertificateTests(SplunkCase):
    def test_it_always_checks_who_answers(self):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        write_certificates(folder / "authority.pem", folder / "pair.pem")
        write_certificates(folder / "other.pem", folder / "other_pair.pem")
        splunk = Splunk()
        splunk.pair = folder / "pair.pem"
        self.enterContext(splunk)

        with self.settings(SPLUNK_URL=splunk.url):
            unknown = self.refused()
            with self.settings(SPLUNK_CA=str(folder / "other.pem")):
                other = self.refused()
            with self.settings(SPLUNK_CA=str(folder / "authority.pem")):
                known = self.search()
        named = splunk.url.replace("127.0.0.1", "splunk.test")
        with (
            mock.patch("core.outbound.network._addresses", return_value=["127.0.0.1"]),
            self.settings(SPLUNK_URL=named, SPLUNK_CA=str(folder / "authority.pem")),
        ):
            misnamed = self.refused()

        self.assertEqual(known, Found([]))
        for failure in (unknown, other, misnamed):
            self.assertIn("Splunk cannot be reached at SPLUNK_URL (its certificate is refused: ", failure.message)
        self.assertEqual({request.headers["authorization"] for request in splunk.requests}, {f"Bearer {TOKEN}"})


class QueryTests(SplunkCase):
    def test_it_searches_what_people_write_as_splunks_pages_do(self):
        for query, expected in (
            ("index=main error", "search index=main error"),
            ("  search error ", "search error"),
            ("searching", "search searching"),
            ("| tstats count where index=main by host", "| tstats count where index=main by host"),
            ('error "latest=now"', 'search error "latest=now"'),
            ("error | stats latest(host) as latest", "search error | stats latest(host) as latest"),
            ("error [search index=deploys earliest=-7d | fields host]", None),
        ):
            with self.subTest(query):
                self.assertEqual(store.validate(query), expected or f"search {query}")

    def test_it_refuses_times_and_whatever_writes(self):
        for query, said in (
            ("error earliest=-1d", "earliest="),
            ("error _index_latest = now()", "latest="),
            ("error | delete", "delete"),
            ("error [search a |outputlookup b]", "outputlookup"),
            ("| inputlookup a | SendEmail to=a", "SendEmail"),
            ("error | ```harmless``` delete", "delete"),
            ("error | summaryindex index=b", "summaryindex"),
        ):
            with self.subTest(query), self.assertRaisesMessage(ValidationError, said):
                store.validate(query)

    def test_it_says_which_setting_is_missing(self):
        for settings, said in (
            ({"SPLUNK_URL": "", "SPLUNK_TOKEN": ""}, "Splunk is not set up: set SPLUNK_URL, SPLUNK_TOKEN."),
            ({"SPLUNK_URL": "https://a:8089", "SPLUNK_TOKEN": ""}, "Splunk is not set up: set SPLUNK_TOKEN."),
            (
                {"SPLUNK_URL": "https://a:8089", "SPLUNK_CA": "/nowhere"},
                "SPLUNK_CA names no file with certificates (PEM) that can be read.",
            ),
            ({"SPLUNK_URL": "https://a:8089"}, ""),
        ):
            with self.subTest(said), self.settings(**settings):
                self.assertEqual(store.why_unusable(), said)


class CertifiedTests(SimpleTestCase):
    def test_it_is_judged_by_a_stand_in_that_splunks_own_client_accepts(self):
        folder = Path(splunk_search.__file__).parents[2] / ".venv" / "e2e-splunk-sdk"
        if not (folder / "packages.txt").is_file():
            self.skipTest("splunk-sdk is not here; `make e2e CLIENTS=splunk_search` installs it")

        splunk_search.certify(Environment("splunk-sdk", *splunk_search.PACKAGES))

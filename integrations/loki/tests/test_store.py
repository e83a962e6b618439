"""Loki as a store of rules, against the stand-in that judges as Loki does."""

import datetime as dt
import itertools
import json
from collections import Counter
from unittest import mock

import hypothesis
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, override_settings
from hypothesis import given
from hypothesis import strategies as st

from core.outbound.client import Answer
from e2e.stand_ins.loki import Loki
from e2e.stand_ins.serving import of_json, of_text
from integrations.loki import store
from logs.sources.http import Exchange
from logs.sources.outside import Found, Limits, StoreFailed

UNTIL = dt.datetime(2026, 12, 1, 10, 5, tzinfo=dt.UTC)
SINCE = UNTIL - dt.timedelta(minutes=5)
START, END = (int(moment.timestamp()) * 10**9 for moment in (SINCE, UNTIL))
ALL = '{app=~".+"}'
SETTINGS = {
    **{"LOKI_URL": "", "LOKI_USER": "", "LOKI_PASSWORD": "", "LOKI_TOKEN": "", "LOKI_TENANT": "", "LOKI_CA": ""},
    "LOKI_LAG_SECONDS": 60,
}


@override_settings(**SETTINGS)
class LokiCase(SimpleTestCase):
    def serve(self, **options: object) -> Loki:
        stand_in = self.enterContext(Loki(**options))
        self.enterContext(self.settings(LOKI_URL=stand_in.url))
        return stand_in

    def search(self, query: str = ALL, **limits: float) -> Found:
        return store.search(query, SINCE, UNTIL, Limits(**limits))

    def refused(self, query: str = ALL) -> StoreFailed:
        with self.assertRaises(StoreFailed) as caught:
            self.search(query)
        return caught.exception


class LinesTests(LokiCase):
    def test_it_reads_the_lines_of_a_window_without_its_end(self):
        loki = self.serve()
        for at in (START - 1, START, END - 1, END):
            loki.add(at, f"line {at}", app="shop", host="a")

        found = self.search('{app="shop"} |= "line"')

        self.assertEqual([row.text for row in found.rows], [f"line {START}", f"line {END - 1}"])
        self.assertEqual((found.is_cut, found.rows[0].fields), (False, {"app": "shop", "host": "a"}))
        self.assertEqual(found.rows[0].at, SINCE)

    def test_it_reads_past_the_limit_of_a_query_without_gap_or_double(self):
        loki = self.serve(most=7)
        for number in range(60):  # six of each moment, in three streams
            loki.add(START + number // 6, f"line {number}", app=f"app{number % 3}")

        found = self.search()

        self.assertEqual(Counter(row.text for row in found.rows), Counter(f"line {number}" for number in range(60)))
        self.assertFalse(found.is_cut)
        self.assertGreater(len(loki.requests), 9)

    def test_it_reads_every_length_of_a_last_page(self):
        for count in range(25):
            loki = self.serve(most=5)
            for number in range(count):
                loki.add(START + number // 3, f"line {number}", app="shop")
            with self.subTest(count):
                self.assertEqual(
                    sorted(row.text for row in self.search().rows), sorted(f"line {n}" for n in range(count))
                )

    @given(st.lists(st.integers(0, 6), max_size=40), st.integers(2, 9))
    @hypothesis.settings(deadline=None, max_examples=60)
    def test_it_reads_any_lines_whole_or_says_that_it_does_not(self, moments, most):
        loki = Loki(most=most)
        for number, at in enumerate(moments):
            loki.add(START + at, f"line {number}", app=f"app{number % 2}")

        with mock.patch.object(Exchange, "ask", lambda _self, *_args, params: _answered(loki, params)):
            found = self.search()

        texts = [row.text for row in found.rows]
        self.assertEqual(len(texts), len(set(texts)))
        if found.is_cut:  # a page of one moment: there may be more
            self.assertGreaterEqual(max(Counter(moments).values()), most)
        else:
            self.assertEqual(set(texts), {f"line {number}" for number in range(len(moments))})

    def test_it_counts_lines_that_a_query_makes_alike(self):
        loki = self.serve(most=3)
        twins = [{"stream": {"app": "shop"}, "values": [[str(START + 5), "same"]] * 2}]
        first = {"stream": {"app": "shop"}, "values": [[str(START), "first"]]}
        loki.refuses = [
            of_json(200, {"status": "success", "data": {"resultType": "streams", "result": result}})
            for result in ([first, *twins], [{**twins[0], "values": twins[0]["values"] * 2}])
        ]

        with mock.patch.object(store, "PAGE", 3):
            found = self.search()

        self.assertEqual(Counter(row.text for row in found.rows), Counter({"same": 4, "first": 1}))

    def test_it_cuts_at_the_limit_of_rows_and_says_so(self):
        loki = self.serve()
        for number in range(10):
            loki.add(START + number, f"line {number}", app="shop")

        exact, cut = self.search(rows=10), self.search(rows=9)

        self.assertEqual((len(exact.rows), exact.is_cut), (10, False))
        self.assertEqual((len(cut.rows), cut.is_cut), (9, True))

    def test_it_cuts_at_the_limit_of_bytes_and_says_so(self):
        loki = self.serve(most=10)
        for number in range(100):
            loki.add(START + number, f"{number:03}" + "x" * 1000, app="shop")

        found = self.search(max_bytes=40_000)

        self.assertTrue(found.is_cut)
        self.assertEqual([row.text[:3] for row in found.rows], [f"{number:03}" for number in range(len(found.rows))])
        self.assertGreater(len(found.rows), 20)

    def test_it_reads_smaller_pages_where_one_is_too_long(self):
        loki = self.serve()
        for number in range(30):
            loki.add(START + number, f"{number:03}" + "x" * 1000, app="shop")

        found = self.search(max_bytes=20_000)

        self.assertTrue(found.is_cut)
        self.assertTrue(found.rows)

    def test_it_cuts_where_more_lines_share_a_moment_than_a_page_holds(self):
        loki = self.serve(most=4)
        for number in range(9):
            loki.add(START, f"line {number}", app="shop")

        found = self.search()

        self.assertEqual((len(found.rows), found.is_cut), (4, True))


class SeriesTests(LokiCase):
    def test_it_counts_series_that_a_metric_query_leaves(self):
        loki = self.serve()
        for at, app in ((START - 1, "old"), (START, "shop"), (END - 1, "shop"), (START, "till"), (END, "till")):
            loki.add(at, f"error {at}", app=app)

        counted = self.search('sum by (app) (count_over_time({app=~".+"} |= "error" [5m]))')
        many = self.search('sum by (app) (count_over_time({app=~".+"}[5m])) > 1')

        self.assertEqual({row.fields["app"]: row.fields["value"] for row in counted.rows}, {"shop": "2", "till": "1"})
        self.assertEqual([row.text for row in many.rows], ['{app="shop"} 2'])

    def test_it_takes_an_answer_that_loki_calls_partial_for_cut(self):
        loki, said = (
            self.serve(),
            "maximum number of series (500) reached for a single query; returning partial results",
        )
        streams = [{"stream": {"app": "shop"}, "values": [[str(START), "a"]]}]
        vector = [{"metric": {"app": "shop"}, "value": [1, "5"]}]
        for query, kind, result in ((ALL, "streams", streams), ("sum(rate({a='b'}[1m]))", "vector", vector)):
            for warning, is_cut in ((said, True), ("the query was slow", False)):
                data = {"resultType": kind, "result": result}
                loki.refuses = [of_json(200, {"status": "success", "warnings": [warning], "data": data})]
                with self.subTest(kind=kind, warning=warning):
                    found = self.search(query)
                    self.assertEqual((len(found.rows), found.is_cut, list(found.warnings)), (1, is_cut, [warning]))

    def test_it_tells_lines_from_series(self):
        for query, is_metric in (
            ('{app="a"}', False),
            ('# rate(\n ({app="a"} |= "b")', False),
            ('rate({app="a"}[1m])', True),
            ('(sum(rate({app="a"}[1m])))', True),
        ):
            with self.subTest(query):
                self.assertIs(store.is_metric(query), is_metric)


class AccessTests(LokiCase):
    def test_it_proves_who_it_is(self):
        for options, settings in (
            ({"user": "12", "password": "secret"}, {"LOKI_USER": "12", "LOKI_PASSWORD": "secret"}),
            ({"token": "secret"}, {"LOKI_TOKEN": "secret"}),
            ({"tenant": "shop"}, {"LOKI_TENANT": "shop"}),
        ):
            with self.subTest(options), override_settings(**settings):
                self.serve(**options).add(START, "line", app="shop")
                self.assertEqual(len(self.search().rows), 1)

    def test_it_says_which_settings_to_check(self):
        for options in ({"token": "right"}, {"tenant": "shop"}):
            self.serve(**options)
            with self.subTest(options), self.settings(LOKI_TOKEN="wrong"):
                failed = self.refused()
                self.assertTrue(failed.is_permanent)
                self.assertIn("LOKI_TOKEN", failed.message)
                self.assertNotIn("wrong", failed.message)

    def test_it_is_unusable_without_an_address(self):
        self.assertIn("LOKI_URL", store.why_unusable())
        with self.settings(LOKI_URL="http://127.0.0.1:1"):
            self.assertEqual(store.why_unusable(), "")
            with self.settings(LOKI_CA="/nowhere"):
                self.assertIn("LOKI_CA", store.why_unusable())


class FailureTests(LokiCase):
    def test_it_passes_on_what_is_wrong_with_a_query(self):
        self.serve()

        for query, words in (
            ('{app="shop"} |= error', "parse error at line 1, col 14"),
            ('{app=~".*"}', "at least one regexp or equality matcher"),
            ('count_over_time({app="shop"}[5x])', "parse error"),
        ):
            with self.subTest(query):
                failed = self.refused(query)
                self.assertTrue(failed.is_permanent)
                self.assertIn(words, failed.message)

    def test_it_tries_again_what_passes(self):
        loki = self.serve()

        for reply in (
            *(of_text(status, "too many outstanding requests") for status in (429, 500, 502, 503, 504)),
            of_text(200, '{"status": "succ'),
            of_json(200, {"status": "error"}),
            of_json(200, {"status": "success", "data": {"resultType": "streams", "result": [{"values": []}]}}),
        ):
            loki.refuses = [reply]
            with self.subTest(reply):
                self.assertFalse(self.refused().is_permanent)

    def test_it_never_says_a_secret(self):
        loki = self.serve()
        loki.refuses = [of_text(500, "bad token sesame for all")]

        with self.settings(LOKI_TOKEN="sesame"):
            failed = self.refused()

        self.assertNotIn("sesame", failed.message)
        self.assertIn("bad token", failed.message)

    def test_it_fails_when_time_is_up(self):
        loki = self.serve(most=2)
        for number in range(50):
            loki.add(START + number, f"line {number}", app="shop")

        loki.dawdle(5, 2.2)
        found = self.search(seconds=2)
        loki.dawdle(0, 0.5)
        with self.assertRaises(StoreFailed) as caught:
            self.search(seconds=0.1)

        self.assertEqual((found.is_cut, found.is_late), (True, True))
        self.assertTrue(found.rows)
        self.assertFalse(caught.exception.is_permanent)

    def test_it_refuses_what_selects_nothing(self):
        self.assertEqual(store.validate(' {app="shop"} '), '{app="shop"}')
        for query in ("", "error", "{app"):
            with self.subTest(query), self.assertRaises(ValidationError):
                store.validate(query)


class RestartTests(LokiCase):
    def test_it_never_takes_part_of_an_answer_for_the_whole(self):
        for page in range(4):
            loki = self.serve(most=10)
            for number in range(35):
                loki.add(START + number, f"line {number}", app="shop")
            pages = itertools.count(-1)  # the first is refused for its size
            loki.kills = lambda _request, pages=pages, page=page: next(pages) == page
            with self.subTest(page):
                self.assertFalse(self.refused().is_permanent)
                self.assertFalse(self.refused().is_permanent)  # it is still down
                loki.start()
                self.assertEqual(len({row.text for row in self.search().rows}), 35)


class StandInTests(LokiCase):
    """The stand-in against the shapes of Loki's HTTP API reference, "Query logs within a range of time"."""

    def test_it_answers_in_the_documented_shape(self):
        loki = self.serve()
        loki.add(START, "line", app="shop")

        answer = json.loads(loki.judge(_request(loki, query=ALL, start=START, end=END)).body)

        self.assertEqual(set(answer), {"status", "data"})
        self.assertEqual(set(answer["data"]), {"resultType", "result", "stats"})
        self.assertEqual(answer["data"]["result"], [{"stream": {"app": "shop"}, "values": [[str(START), "line"]]}])

    def test_it_refuses_as_documented(self):
        loki = self.serve()
        for change, words in (
            (
                {"limit": 5001},
                "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)",
            ),
            ({"limit": 0}, "limit must be a positive value"),
            ({"direction": "up"}, "invalid direction 'up'"),
            ({"start": END, "end": START}, "end timestamp must not be before"),
            ({"start": "now"}, "invalid syntax"),
            ({"size": 5}, "unknown parameters: size"),
        ):
            with self.subTest(change):
                reply = loki.judge(_request(loki, **{"query": ALL, "start": START, "end": END, **change}))
                self.assertEqual(reply.status, 400)
                self.assertIn(words, reply.body.decode())

    def test_it_answers_newest_first_unless_asked_otherwise(self):
        loki = self.serve()
        for number in range(3):
            loki.add(START + number, str(number), app="shop")

        backward = json.loads(loki.judge(_request(loki, query=ALL, start=START, end=END, limit=2)).body)

        self.assertEqual([line for _at, line in backward["data"]["result"][0]["values"]], ["2", "1"])


def _answered(loki: Loki, params: dict[str, str]) -> Answer:
    reply = loki.judge(_request(loki, **params))
    return Answer(reply.status, reply.headers, reply.body)


def _request(loki: Loki, **params: object):
    from e2e.stand_ins.serving import Request

    said = {name: str(value) for name, value in params.items()}
    return Request("GET", "/loki/api/v1/query_range", said, {}, b"", "/loki/api/v1/query_range")

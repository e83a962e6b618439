"""Elasticsearch and OpenSearch as a store of rules, against the stand-in, which the official client drives too."""

import datetime as dt
import itertools
import warnings

import elasticsearch
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, override_settings
from elasticsearch import BadRequestError, NotFoundError

from e2e.stand_ins.elasticsearch import Elasticsearch
from e2e.stand_ins.serving import of_json, of_text
from integrations.elastic import store
from logs.sources.outside import Found, Limits, StoreFailed

UNTIL = dt.datetime(2026, 12, 1, 10, 5, tzinfo=dt.UTC)
SINCE = UNTIL - dt.timedelta(minutes=5)
MS = dt.timedelta(milliseconds=1)
SETTINGS = {
    **{"ELASTICSEARCH_URL": "", "ELASTICSEARCH_API_KEY": "", "ELASTICSEARCH_USER": "", "ELASTICSEARCH_PASSWORD": ""},
    **{"ELASTICSEARCH_INDEX": "logs-*", "ELASTICSEARCH_TIME_FIELD": "@timestamp", "ELASTICSEARCH_CA": ""},
}
PRODUCTS = [
    *({"version": version} for version in ("7.10.2", "7.17.3", "8.15.0", "9.1.0")),
    *({"version": version, "is_opensearch": True} for version in ("2.4.0", "2.11.1", "3.3.0")),
]


@override_settings(**SETTINGS)
class ElasticCase(SimpleTestCase):
    def setUp(self) -> None:
        store._products.clear()
        self.addCleanup(store._products.clear)

    def serve(self, **options: object) -> Elasticsearch:
        stand_in = self.enterContext(Elasticsearch(**options))
        self.enterContext(self.settings(ELASTICSEARCH_URL=stand_in.url))
        return stand_in

    def fill(self, count: int, **options: object) -> Elasticsearch:
        stand_in = self.serve(**options)
        for number in range(count):
            add(stand_in, SINCE + MS * (number // 7), f"line {number}", index=f"logs-{number % 3}", key=f"id{number}")
        return stand_in

    def search(self, query: str = "*", **limits: float) -> Found:
        return store.search(query, SINCE, UNTIL, Limits(**limits))

    def refused(self, query: str = "*") -> StoreFailed:
        with self.assertRaises(StoreFailed) as caught:
            self.search(query)
        return caught.exception


def add(
    stand_in: Elasticsearch, at: dt.datetime, message: str, index: str = "logs-app", key: str = "", **fields: object
):
    stand_in.add(index, {"@timestamp": at.isoformat(), "message": message, **fields}, key)


class DocumentsTests(ElasticCase):
    def test_it_reads_the_documents_of_a_window_without_its_end(self):
        for options in PRODUCTS:
            stand_in = self.serve(**options)
            for at in (SINCE - MS, SINCE, UNTIL - MS, UNTIL):
                add(stand_in, at, f"failed at {at}", level="error", host={"name": "a"})
            add(stand_in, SINCE, "fine", level="info")
            add(stand_in, SINCE, "failed", index="metrics", level="error")
            with self.subTest(options):
                found = self.search("level:error AND failed")

                self.assertEqual({row.at for row in found.rows}, {SINCE, UNTIL - MS})
                self.assertEqual(found.rows[0].fields["host.name"], "a")
                self.assertEqual((found.is_cut, found.rows[0].fields["_index"]), (False, "logs-app"))
                self.assertTrue(found.rows[0].text.startswith("failed at"))
                self.assertEqual(stand_in.pits, {})

    def test_it_reads_page_by_page_without_gap_or_double(self):
        for options in PRODUCTS:
            self.fill(2600, **options)
            with self.subTest(options):
                found = self.search()

                self.assertEqual(sorted(row.text for row in found.rows), sorted(f"line {n}" for n in range(2600)))
                self.assertFalse(found.is_cut)

    def test_it_tells_documents_of_one_id_in_two_indices_apart(self):
        for options in PRODUCTS:
            stand_in = self.serve(**options)
            for number in range(1500):
                for index in ("logs-a", "logs-b"):
                    add(stand_in, SINCE, f"{index} {number}", index=index, key=f"{number}")
            with self.subTest(options):
                self.assertEqual(len({row.text for row in self.search().rows}), 3000)

    def test_it_sees_one_moment_while_documents_arrive(self):
        stand_in = self.fill(2500)
        stand_in.kills = lambda request: request.path == "/_search" and add(stand_in, SINCE, "late")

        found = self.search()

        self.assertEqual({row.text for row in found.rows}, {f"line {number}" for number in range(2500)})
        self.assertEqual(len(stand_in.documents), 2503)

    def test_it_cuts_at_the_limit_of_rows_and_says_so(self):
        self.fill(30)

        exact, cut = self.search(rows=30), self.search(rows=29)

        self.assertEqual((len(exact.rows), exact.is_cut), (30, False))
        self.assertEqual((len(cut.rows), cut.is_cut), (29, True))

    def test_it_cuts_at_the_limit_of_bytes_and_says_so(self):
        stand_in = self.serve()
        for number in range(60):
            add(stand_in, SINCE, f"{number} {'x' * 1000}")

        found = self.search(max_bytes=30_000)

        self.assertTrue(found.is_cut)
        self.assertTrue(0 < len(found.rows) < 30)
        self.assertEqual(stand_in.pits, {})

    def test_it_searches_the_indices_that_a_query_names(self):
        stand_in = self.serve()
        add(stand_in, SINCE, "log line")
        add(stand_in, SINCE, "audit line", index="audit-1")

        named = self.search("index: audit-*\nline")
        all_of_them = self.search("index:audit-*,logs-app\n*")

        self.assertEqual([row.text for row in named.rows], ["audit line"])
        self.assertEqual(len(all_of_them.rows), 2)

    def test_it_takes_a_query_in_json(self):
        stand_in = self.serve()
        add(stand_in, SINCE, "a", level="error", status=502)
        add(stand_in, SINCE, "b", level="error", status=200)

        clause = '{"bool": {"must": {"term": {"level": "error"}}, "must_not": {"term": {"status": 200}}}}'
        found = self.search(clause)
        wrapped = self.search(f'{{"query": {clause}}}')

        self.assertEqual([row.text for row in (*found.rows, *wrapped.rows)], ["a", "a"])

    def test_it_reads_another_field_of_time(self):
        stand_in = self.serve()
        stand_in.add("logs-1", {"event": {"created": SINCE.isoformat()}, "code": 7})

        with self.settings(ELASTICSEARCH_TIME_FIELD="event.created"):
            (row,) = self.search("code:7").rows

        self.assertEqual((row.at, row.fields["code"]), (SINCE, "7"))
        self.assertIn('"code":7', row.text)


class AccessTests(ElasticCase):
    def test_it_proves_who_it_is(self):
        for options, settings in (
            ({"api_key": "a2V5"}, {"ELASTICSEARCH_API_KEY": "a2V5"}),
            (
                {"user": "rules", "password": "secret"},
                {"ELASTICSEARCH_USER": "rules", "ELASTICSEARCH_PASSWORD": "secret"},
            ),
        ):
            with self.subTest(options), override_settings(**settings):
                add(self.serve(**options), SINCE, "line")
                self.assertEqual(len(self.search().rows), 1)

    def test_it_says_which_settings_to_check(self):
        self.serve(api_key="right")

        with self.settings(ELASTICSEARCH_API_KEY="wrong"):
            failed = self.refused()

        self.assertTrue(failed.is_permanent)
        self.assertIn("ELASTICSEARCH_API_KEY", failed.message)
        self.assertNotIn("wrong", failed.message)

    def test_it_searches_with_a_key_for_indices_alone(self):
        self.fill(3).is_root_forbidden = True

        self.assertEqual(len(self.search().rows), 3)

    def test_it_says_that_a_version_is_too_old(self):
        for options in ({"version": "7.9.3"}, {"version": "2.3.0", "is_opensearch": True}):
            self.serve(**options)
            with self.subTest(options):
                failed = self.refused()
                self.assertTrue(failed.is_permanent)
                self.assertIn("too old", failed.message)

    def test_it_is_unusable_without_an_address(self):
        self.assertIn("ELASTICSEARCH_URL", store.why_unusable())
        with self.settings(ELASTICSEARCH_URL="http://127.0.0.1:1"):
            self.assertEqual(store.why_unusable(), "")
            with self.settings(ELASTICSEARCH_CA="/nowhere"):
                self.assertIn("ELASTICSEARCH_CA", store.why_unusable())


class FailureTests(ElasticCase):
    def test_it_passes_on_what_is_wrong_with_a_query(self):
        for options in PRODUCTS:
            stand_in = self.fill(1, **options)
            for query, words in (
                ("level:(error", "Cannot parse 'level:(error'"),
                ('{"matches": {"level": "error"}}', "unknown query [matches]"),
            ):
                with self.subTest(query, **options):
                    failed = self.refused(query)
                    self.assertTrue(failed.is_permanent)
                    self.assertIn(words, failed.message)
                    self.assertEqual(stand_in.pits, {})

    def test_it_never_takes_a_part_for_the_whole(self):
        for partly in (
            {"timed_out": True},
            {"_shards": {"total": 2, "successful": 1, "skipped": 0, "failed": 1}},
            {"_clusters": {"total": 2, "successful": 1, "skipped": 1}},
            {"terminated_early": True},
            {"hits": {}},
            {"hits": {"hits": [{"_id": "1"}]}},
        ):
            stand_in = self.fill(3)
            stand_in.partly = partly
            with self.subTest(partly):
                self.assertFalse(self.refused().is_permanent)
                self.assertEqual(stand_in.pits, {})

    def test_it_tries_again_what_passes(self):
        stand_in = self.serve()
        for reply in (
            *(of_text(status, "busy") for status in (429, 500, 502, 503, 504)),
            of_text(200, '{"version": {'),
            of_json(200, {"tagline": "another"}),
        ):
            stand_in.refuses = [reply]
            with self.subTest(reply):
                self.assertFalse(self.refused().is_permanent)

    def test_it_fails_on_hits_that_are_none(self):
        stand_in = self.serve()
        for hits in (["x"], [None], [{"_index": "a"}], None):
            stand_in.partly = {"hits": {"hits": hits}}
            with self.subTest(hits):
                self.assertIn("no hits", self.refused().message)

    def test_it_waits_for_an_index_that_is_not_there_yet(self):
        self.fill(1)

        failed = self.refused("index: app-1\n*")

        self.assertFalse(failed.is_permanent)
        self.assertIn("no such index [app-1]", failed.message)

    def test_it_closes_what_it_opened_when_time_is_up(self):
        stand_in = self.fill(3000)

        stand_in.dawdle(3, 2.2)  # after the version, the point in time and a page
        found = self.search(seconds=2)
        stand_in.dawdle(1, 0.7)
        with self.assertRaises(StoreFailed):
            self.search(seconds=0.5)

        self.assertEqual((found.is_cut, found.is_late), (True, True))
        self.assertEqual(stand_in.pits, {})

    def test_it_refuses_what_can_be_no_query(self):
        for query in ("", " \n", "{", '{"size": 3, "query": {}}', '{"term": 3}', "index: _all\n*", "index: a/b\n*"):
            with self.subTest(query), self.assertRaises(ValidationError):
                store.validate(query)
        self.assertEqual(store.validate(" index: logs-*\nlevel:error "), "index: logs-*\nlevel:error")


class RestartTests(ElasticCase):
    def test_it_never_takes_part_of_an_answer_for_the_whole(self):
        for options in (PRODUCTS[-1], PRODUCTS[-4]):
            for step in range(5):  # the version, the point in time, three pages
                stand_in = self.fill(2500, **options)
                store._products.clear()
                steps = itertools.count()
                stand_in.kills = lambda _request, steps=steps, step=step: next(steps) == step
                with self.subTest(step, **options):
                    self.assertFalse(self.refused().is_permanent)
                    stand_in.start()
                    self.assertEqual(len({row.text for row in self.search().rows}), 2500)

    def test_it_fails_where_a_restart_between_pages_forgot_the_point_in_time(self):
        stand_in = self.fill(2500)
        pages = itertools.count()

        def restart(_request: object) -> bool:
            if next(pages) == 3:
                stand_in.forget()
            return False

        stand_in.kills = restart

        self.assertFalse(self.refused().is_permanent)
        stand_in.kills = None
        self.assertEqual(len(self.search().rows), 2500)


class StandInTests(ElasticCase):
    """The stand-in is what Elastic's own client takes for Elasticsearch."""

    def official(self, **options: object) -> elasticsearch.Elasticsearch:
        stand_in = self.fill(25, **options)
        keys = {"api_key": "a2V5OmtleQ=="} if "api_key" in options else {}
        client = elasticsearch.Elasticsearch(stand_in.url, retry_on_timeout=False, max_retries=0, **keys)
        self.addCleanup(client.close)
        return client

    def test_it_pages_through_a_point_in_time(self):
        client = self.official(api_key="a2V5OmtleQ==")
        pit = client.open_point_in_time(index="logs-*", keep_alive="1m")["id"]
        found, after = [], None

        while True:
            page = client.search(
                size=10,
                query={"range": {"@timestamp": {"gte": SINCE.isoformat(), "lt": UNTIL.isoformat()}}},
                sort=[{"@timestamp": "asc"}],
                pit={"id": pit, "keep_alive": "1m"},
                search_after=after,
            )
            if not page["hits"]["hits"]:
                break
            found += [hit["_source"]["message"] for hit in page["hits"]["hits"]]
            after = page["hits"]["hits"][-1]["sort"]

        self.assertEqual(found, [f"line {number}" for number in range(25)])
        self.assertEqual(client.close_point_in_time(id=pit)["num_freed"], 1)

    def test_it_indexes_what_the_client_sends(self):
        client = self.official()

        client.bulk(operations=[{"index": {"_index": "logs-new", "_id": "1"}}, {"message": "by bulk"}])

        found = client.search(index="logs-new", q=None, query={"query_string": {"query": "bulk"}})
        self.assertEqual(found["hits"]["hits"][0]["_id"], "1")

    def test_it_refuses_as_elasticsearch_does(self):
        client = self.official()
        pit = client.open_point_in_time(index="logs-*", keep_alive="1m")["id"]
        for refused, error, kind in (
            (
                lambda: client.open_point_in_time(index="none", keep_alive="1m"),
                NotFoundError,
                "index_not",
            ),
            (
                lambda: client.open_point_in_time(index="logs-*", keep_alive="1"),
                BadRequestError,
                "illegal",
            ),
            (lambda: client.search(pit={"id": "gone"}), NotFoundError, "search_context_missing"),
            (lambda: client.search(pit={"id": pit}, size=10_001), BadRequestError, "illegal_argument"),
            (
                lambda: client.search(index="logs-*", query={"x": {}}),
                BadRequestError,
                "parsing_exception",
            ),
            (
                lambda: client.search(pit={"id": pit}, search_after=[1]),
                BadRequestError,
                "illegal_argument",
            ),
            (lambda: client.search(index="logs-*", pit={"id": pit}), BadRequestError, "action_request"),
            (
                lambda: client.search(index="logs-*", sort=[{"_shard_doc": "asc"}]),
                BadRequestError,
                "action_request_validation",
            ),
            (lambda: client.close_point_in_time(id="gone"), NotFoundError, ""),
        ):
            with self.subTest(kind), self.assertRaises(error) as caught:
                refused()
            self.assertIn(kind, str(caught.exception))

    def test_it_asks_the_client_for_its_key(self):
        stand_in = self.fill(1, api_key="right")
        client = elasticsearch.Elasticsearch(stand_in.url, api_key="d3Jvbmc=", max_retries=0)
        self.addCleanup(client.close)

        with self.assertRaises(elasticsearch.AuthenticationException):
            client.search(index="logs-*")

    def test_it_is_not_taken_for_elasticsearch_as_opensearch(self):
        client = self.official(version="2.11.1", is_opensearch=True)

        with warnings.catch_warnings(), self.assertRaises(elasticsearch.ApiError):
            warnings.simplefilter("ignore")
            client.search(index="logs-*")

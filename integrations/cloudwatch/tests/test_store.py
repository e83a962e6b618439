"""CloudWatch Logs Insights as a store of rules, by boto3, against the stand-in that knows its model."""

import datetime as dt
import itertools
from threading import Event
from unittest import mock

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.exceptions import ValidationError
from django.test import SimpleTestCase, override_settings

from core.server.jobs import stopping_by
from e2e.stand_ins.cloudwatch import KEY, REGION, SECRET, CloudWatch
from e2e.stand_ins.serving import Reply
from integrations.cloudwatch import client, store
from logs.sources.outside import Found, Limits, StoreFailed

UNTIL = dt.datetime(2026, 12, 1, 10, 5, tzinfo=dt.UTC)
SINCE = UNTIL - dt.timedelta(minutes=5)
START, END = (int(moment.timestamp() * 1000) for moment in (SINCE, UNTIL))
ALL = "fields @timestamp, @message"
ARN = "arn:aws:logs:eu-central-1:123456789012:log-group:/app/shop:*"


@override_settings(CLOUDWATCH_REGION=REGION, CLOUDWATCH_LOG_GROUPS=["/app/shop"], CLOUDWATCH_ENDPOINT_URL="")
class CloudWatchCase(SimpleTestCase):
    def setUp(self) -> None:
        credentials = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": ""}
        self.enterContext(mock.patch.dict("os.environ", credentials))
        self.enterContext(mock.patch.object(store, "FIRST_PAUSE", 0.01))
        client.client_for.cache_clear()
        self.addCleanup(client.client_for.cache_clear)

    def serve(self, count: int = 0, **options: object) -> CloudWatch:
        stand_in = self.enterContext(CloudWatch(**options))
        self.enterContext(self.settings(CLOUDWATCH_ENDPOINT_URL=stand_in.url))
        for number in range(count):
            stand_in.add(START + number // 3, f"line {number}")
        return stand_in

    def search(self, query: str = ALL, **limits: float) -> Found:
        return store.search(query, SINCE, UNTIL, Limits(**limits))

    def refused(self, query: str = ALL, **limits: float) -> StoreFailed:
        with self.assertRaises(StoreFailed) as caught:
            self.search(query, **limits)
        return caught.exception


class RowsTests(CloudWatchCase):
    def test_it_reads_the_events_of_a_window_without_its_end(self):
        stand_in = self.serve()
        for at in (START - 1, START, END - 1, END, END + 999):
            stand_in.add(at, f"ERROR at {at}")
        stand_in.add(START, "fine")

        found = self.search("filter @message like /ERROR/ | sort @timestamp asc")

        self.assertEqual([row.text for row in found.rows], [f"ERROR at {START}", f"ERROR at {END - 1}"])
        self.assertEqual((found.rows[0].at, found.is_cut), (SINCE, False))
        self.assertEqual(set(found.rows[0].fields), {"@timestamp", "@message"})

    def test_it_leaves_no_gap_and_no_double_between_windows_of_any_length(self):
        stand_in = self.serve()
        for number in range(40):
            stand_in.add(START + number * 250, f"line {number}")
        bounds = [SINCE + dt.timedelta(milliseconds=ms) for ms in (0, 250, 999, 1000, 2500, 10_000)]

        texts = [
            row.text
            for since, until in itertools.pairwise(bounds)
            for row in store.search(ALL, since, until, Limits()).rows
        ]

        self.assertEqual(sorted(texts), sorted(f"line {number}" for number in range(40)))

    def test_it_counts_rows_of_statistics_within_the_window(self):
        stand_in = self.serve()
        for at, status in ((START, 502), (START, 502), (END - 1, 500), (END, 500)):
            stand_in.add(at, f'{{"status": {status}}}')

        found = self.search("stats count(*) as n by status")

        self.assertEqual({row.fields["status"]: row.fields["n"] for row in found.rows}, {"502": "2", "500": "1"})
        self.assertEqual(found.rows[0].text, "status=502, n=2")

    def test_it_reads_page_by_page(self):
        self.serve(2600)

        found = self.search()

        self.assertEqual(len({row.text for row in found.rows}), 2600)
        self.assertFalse(found.is_cut)

    def test_it_waits_until_the_query_is_complete(self):
        stand_in = self.serve(10, looks=4)

        found = self.search()

        self.assertEqual(len(found.rows), 10)
        self.assertEqual(len(stand_in.requests), 5)

    def test_it_cuts_at_its_limits_and_says_so(self):
        self.serve(50)

        by_rows, by_bytes = self.search(rows=30), self.search(max_bytes=500)

        self.assertEqual((len(by_rows.rows), by_rows.is_cut), (30, True))
        self.assertTrue(0 < len(by_bytes.rows) < 50)
        self.assertTrue(by_bytes.is_cut)

    def test_it_keeps_the_limit_of_a_query(self):
        self.serve(50)

        found = self.search(f"{ALL} | limit 20")

        self.assertEqual((len(found.rows), found.is_cut), (20, False))

    def test_it_searches_groups_by_name_or_arn(self):
        stand_in = self.serve(3, groups=("/app/shop", "/app/till"))
        stand_in.add(START, "till", group="/app/till")

        for groups, count in ((["/app/shop", "/app/till"], 4), ([ARN], 3), ([ARN, "/app/till"], 4)):
            with self.subTest(groups), self.settings(CLOUDWATCH_LOG_GROUPS=groups):
                self.assertEqual(len(self.search().rows), count)


class FailureTests(CloudWatchCase):
    def test_it_passes_on_what_is_wrong_with_a_query(self):
        self.serve()

        for query in ("select *", "filter @message like", "fields @message | sort by time"):
            with self.subTest(query):
                failed = self.refused(query)
                self.assertTrue(failed.is_permanent)
                self.assertIn("unexpected symbol found", failed.message)

    def test_it_fails_when_a_query_ends_without_an_answer(self):
        for outcome in ("Failed", "Cancelled", "Timeout"):
            self.serve(3).outcome = outcome
            with self.subTest(outcome):
                failed = self.refused()
                self.assertFalse(failed.is_permanent)
                self.assertIn(outcome, failed.message)

    def test_it_stops_a_query_that_takes_too_long(self):
        stand_in = self.serve(3, looks=1000)

        failed = self.refused(seconds=0.4)

        self.assertFalse(failed.is_permanent)
        self.assertEqual([one.status for one in stand_in.queries.values()], ["Cancelled"])

    def test_it_stops_its_query_when_the_worker_stops(self):
        stand_in, stopping = self.serve(3, looks=1000), Event()
        stopping.set()

        with stopping_by(stopping):
            self.refused()

        self.assertEqual([one.status for one in stand_in.queries.values()], ["Cancelled"])

    def test_it_tells_what_passes_from_what_lasts(self):
        for code, status, is_permanent in (
            ("LimitExceededException", 400, False),
            ("ThrottlingException", 400, False),
            ("ServiceUnavailableException", 503, False),
            ("ResourceNotFoundException", 400, False),
            ("ExpiredTokenException", 400, False),
            ("InternalFailure", 500, False),
            ("InvalidParameterException", 400, True),
            ("AccessDeniedException", 400, True),
        ):
            stand_in = self.serve()
            stand_in.refuses = [Reply(status, f'{{"__type": "{code}", "message": "so"}}'.encode())]
            with self.subTest(code):
                self.assertIs(self.refused().is_permanent, is_permanent)

    def test_it_tries_again_a_window_before_the_group_was_made(self):
        stand_in = self.serve()
        said = "Query's end date and time is either before the log groups creation time or exceeds the retention"
        stand_in.refuses = [Reply(400, f'{{"__type": "MalformedQueryException", "message": "{said}"}}'.encode())]

        self.assertFalse(self.refused().is_permanent)

    def test_it_fails_on_half_an_answer(self):
        stand_in = self.serve()
        stand_in.refuses = [Reply(200, b'{"queryId": "12')]

        self.assertFalse(self.refused().is_permanent)

    def test_it_says_what_to_check_where_credentials_are_wrong(self):
        for changed in ({"AWS_SECRET_ACCESS_KEY": "hunter2hunter2"}, {"AWS_ACCESS_KEY_ID": "AKIAOTHER"}):
            self.serve()
            with self.subTest(changed), mock.patch.dict("os.environ", changed):
                client.client_for.cache_clear()
                failed = self.refused()
                self.assertTrue(failed.is_permanent)
                self.assertIn("AWS_SECRET_ACCESS_KEY", failed.message)
                self.assertNotIn(next(iter(changed.values())), failed.message)

    def test_it_says_what_is_to_be_set_or_installed(self):
        self.assertEqual(store.why_unusable(), "")
        with self.settings(CLOUDWATCH_LOG_GROUPS=[]):
            self.assertIn("CLOUDWATCH_LOG_GROUPS", store.why_unusable())
        with self.settings(CLOUDWATCH_REGION=""):
            self.assertIn("CLOUDWATCH_REGION", store.why_unusable())
        with self.settings(CLOUDWATCH_LOG_GROUPS=["a"] * 51):
            self.assertIn("50", store.why_unusable())
        with mock.patch.object(client, "find_spec", return_value=None):
            self.assertIn("requirements-aws.txt", store.why_unusable())

    def test_it_refuses_what_can_be_no_query(self):
        for query in ("", "  ", "SOURCE logGroups()", "# all\nsource '/x'", "x" * 9_901):
            with self.subTest(query[:20]), self.assertRaises(ValidationError):
                store.validate(query)
        self.assertEqual(store.validate(" filter a = 1 "), "filter a = 1")


class RestartTests(CloudWatchCase):
    def test_it_never_takes_part_of_an_answer_for_the_whole(self):
        for step in range(5):  # the start, a look, three pages
            stand_in = self.serve(2500)
            steps = itertools.count()
            stand_in.kills = lambda _request, steps=steps, step=step: next(steps) == step
            with self.subTest(step):
                self.assertFalse(self.refused().is_permanent)
                stand_in.start()
                self.assertEqual(len({row.text for row in self.search().rows}), 2500)

    def test_it_fails_where_a_restart_forgot_the_query(self):
        stand_in = self.serve(3, looks=3)
        looks = itertools.count()
        stand_in.kills = lambda _request: next(looks) == 2 and stand_in.forget()

        self.assertFalse(self.refused().is_permanent)


class StandInTests(CloudWatchCase):
    """The stand-in is what boto3 takes for CloudWatch Logs."""

    def official(self, stand_in: CloudWatch, region: str = REGION):
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        return boto3.client("logs", region_name=region, endpoint_url=stand_in.url, config=config)

    def test_it_answers_a_query_from_start_to_end(self):
        logs = self.official(self.serve())
        logs.put_log_events(
            logGroupName="/app/shop", logStreamName="a", logEvents=[{"timestamp": START, "message": "put"}]
        )

        name = logs.start_query(
            logGroupNames=["/app/shop"], startTime=START // 1000, endTime=END // 1000, queryString=ALL
        )["queryId"]
        looks = [logs.get_query_results(queryId=name) for _look in range(2)]

        self.assertEqual([look["status"] for look in looks], ["Running", "Complete"])
        self.assertEqual(looks[1]["results"][0][1], {"field": "@message", "value": "put"})
        self.assertEqual(looks[1]["statistics"]["recordsMatched"], 1.0)

    def test_it_includes_the_second_of_the_end(self):
        stand_in = self.serve(looks=1)
        stand_in.add(END, "at the end")
        logs = self.official(stand_in)

        name = logs.start_query(logGroupName="/app/shop", startTime=0, endTime=END // 1000, queryString=ALL)["queryId"]

        self.assertEqual(len(logs.get_query_results(queryId=name)["results"]), 1)

    def test_it_refuses_as_the_service_does(self):
        logs = self.official(self.serve())
        good = {"logGroupNames": ["/app/shop"], "startTime": 1, "endTime": 2, "queryString": ALL}
        name = logs.start_query(**good)["queryId"]
        logs.stop_query(queryId=name)

        for operation, request, code in (
            ("start_query", {**good, "startTime": "now"}, "InvalidParameterException"),
            ("start_query", {**good, "logGroupName": "/app/shop"}, "InvalidParameterException"),
            ("start_query", {**good, "endTime": 0}, "InvalidParameterException"),
            ("start_query", {**good, "limit": 100_001}, "InvalidParameterException"),
            ("start_query", {**good, "queryString": "nonsense"}, "MalformedQueryException"),
            ("start_query", {**good, "logGroupNames": ["/none"]}, "ResourceNotFoundException"),
            ("get_query_results", {"queryId": "gone"}, "ResourceNotFoundException"),
            ("get_query_results", {"queryId": name, "maxItems": 10_001}, "InvalidParameterException"),
            ("get_query_results", {"queryId": name, "nextToken": "x"}, "InvalidParameterException"),
            ("stop_query", {"queryId": name}, "InvalidParameterException"),
            ("describe_log_groups", {}, "UnknownOperationException"),
        ):
            with self.subTest(code, request=request), self.assertRaises(ClientError) as caught:
                getattr(logs, operation)(**request)
            self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_it_allows_thirty_queries_at_once(self):
        logs = self.official(self.serve())
        query = {"logGroupNames": ["/app/shop"], "startTime": 1, "endTime": 2, "queryString": ALL}
        for _number in range(30):
            logs.start_query(**query)

        with self.assertRaises(logs.exceptions.LimitExceededException):
            logs.start_query(**query)

    def test_it_is_of_one_region(self):
        with self.assertRaises(ClientError) as caught:
            self.official(self.serve(), region="us-east-1").stop_query(queryId="x")

        self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidSignatureException")

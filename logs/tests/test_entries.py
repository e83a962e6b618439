"""Reading log lines over the API."""

import datetime as dt
from itertools import chain
from typing import Any
from unittest import mock

from django.test import TestCase

from core.api.paging import BoundedPages
from logs.lines import Line
from logs.models import LogEntry
from logs.tests.factories import make_lines, make_log_source
from logs.vocabulary import Level
from tests.people import signed_in
from users.tests.factories import make_reporter, make_responder

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
TRACE = "5b8efff798038103d269b633813fc60c"


def line(message: str, seconds: int = 0, level: Level = Level.INFO, **facts: Any) -> Line:
    """A line of so many seconds after noon."""
    return Line(message, NOON + dt.timedelta(seconds=seconds), level, **facts)


class EntriesTestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.responder = make_responder()

    def setUp(self) -> None:
        self.api = signed_in(self.responder)

    def get(self, query: str = "") -> Any:
        answer = self.api.get(query if query.startswith("http") else f"/api/v1/logs/{query}")
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()

    def found(self, query: str = "") -> list[str]:
        return [row["message"] for row in self.get(query)["results"]]


class FilterTests(EntriesTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.source = make_log_source()
        make_lines(
            line("Boot ZÜRICH", 0, service="web", host="a"),
            line("slow 100%", 1, Level.WARNING, service="web", host="b", trace_id=TRACE),
            line("Disk lost", 2, Level.CRITICAL, service="db", host="a"),
            line("retry_1", 3, Level.ERROR, service="web", host="a"),
            line("tick", 4, Level.DEBUG, service="Web"),
            source=cls.source,
            at=NOON,
        )
        make_lines(line("by hand", 5), at=NOON)

    def test_it_lists_the_newest_first_with_all_that_is_known(self) -> None:
        rows = self.get()["results"]

        self.assertEqual(
            [row["message"] for row in rows], ["by hand", "tick", "retry_1", "Disk lost", "slow 100%", "Boot ZÜRICH"]
        )
        self.assertEqual(
            {name: value for name, value in rows[4].items() if name != "id"},
            {
                "timestamp": "2026-11-21T12:00:01Z",
                "level": "warning",
                "service": "web",
                "host": "b",
                "message": "slow 100%",
                "attributes": {},
                "trace_id": TRACE,
                "received_at": "2026-11-21T12:00:00Z",
                "source": self.source.pk,
            },
        )

    def test_it_filters(self) -> None:
        for query, expected in (
            ("level=error", ["retry_1"]),
            ("level=error,critical", ["retry_1", "Disk lost"]),
            ("level_min=warning", ["retry_1", "Disk lost", "slow 100%"]),
            ("level=info&level_min=error", []),
            ("service=web", ["retry_1", "slow 100%", "Boot ZÜRICH"]),
            ("service=Web", ["tick"]),
            ("service=web&level=error,info", ["retry_1", "Boot ZÜRICH"]),
            ("host=a", ["retry_1", "Disk lost", "Boot ZÜRICH"]),
            ("host=a&service=web", ["retry_1", "Boot ZÜRICH"]),
            ("host=a&level_min=error", ["retry_1", "Disk lost"]),
            (f"trace_id={TRACE.upper()}", ["slow 100%"]),
            ("since=2026-11-21T12:00:04Z", ["by hand", "tick"]),
            ("until=2026-11-21T12:00:01Z", ["Boot ZÜRICH"]),
            ("since=2026-11-21T13:00:01+01:00&until=2026-11-21T12:00:03Z", ["Disk lost", "slow 100%"]),
            ("q=DISK", ["Disk lost"]),
            ("q=zürich", ["Boot ZÜRICH"]),
            ("q=100%25", ["slow 100%"]),
            ("q=y_1&service=web", ["retry_1"]),
            ("q=%25&host=a", []),
            ("q=o&level=info,critical&ordering=timestamp", ["Boot ZÜRICH", "Disk lost"]),
            ("ordering=timestamp&service=web", ["Boot ZÜRICH", "slow 100%", "retry_1"]),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.found(f"?{query}"), expected)

    def test_it_filters_by_source(self) -> None:
        self.assertEqual(len(self.found(f"?source={self.source.pk}")), 5)
        self.assertEqual(self.found(f"?source={self.source.pk}&level=critical"), ["Disk lost"])

    def test_it_refuses_what_it_does_not_understand(self) -> None:
        for query, field in (
            ("lvl=error", "lvl"),
            ("level=purple", "level"),
            ("level=", "level"),
            ("level_min=6", "level_min"),
            ("since=yesterday", "since"),
            ("since=0001-01-01T00:00:00%2B12:00", "since"),
            ("source=web", "source"),
            ("ordering=message", "ordering"),
            ("service=%00", "service"),
            (f"q={'x' * 201}", "q"),
            ("cursor=nonsense", "cursor"),
        ):
            with self.subTest(query=query):
                answer = self.api.get(f"/api/v1/logs/?{query}")

                self.assertEqual(answer.status_code, 400)
                self.assertEqual(answer.json()["errors"][0]["field"], field)

    def test_it_shows_one_line(self) -> None:
        entry = LogEntry.objects.get(message="Disk lost")

        answer = self.api.get(f"/api/v1/logs/{entry.pk}/")

        self.assertEqual((answer.status_code, answer.json()["message"]), (200, "Disk lost"))
        self.assertEqual(self.api.get("/api/v1/logs/999999/").status_code, 404)
        self.assertEqual(self.api.get(f"/api/v1/logs/{10**30}/").status_code, 404)

    def test_it_shows_reporters_nothing(self) -> None:
        api = signed_in(make_reporter())

        self.assertEqual(api.get("/api/v1/logs/").status_code, 403)
        self.assertEqual(api.get("/api/v1/logs/1/").status_code, 403)


class PagingTests(EntriesTestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        levels = list(Level)
        # Ten lines at each moment: the id decides between them.
        make_lines(*(line(f"n{n}", n // 10, levels[n % 6], service=f"s{n % 2}", host="h") for n in range(120)), at=NOON)

    def walk(self, query: str, link: str = "next") -> list[list[str]]:
        pages, address = [], f"?{query}"
        while address:
            page = self.get(address)
            pages.append([row["message"] for row in page["results"]])
            address = page[link]
            self.assertLess(len(pages), 200)
        return pages

    def test_it_walks_through_all_in_both_directions_whatever_the_filter(self) -> None:
        for query in ("", "service=s1&", "level=info,error&", "host=h&level_min=error&", "q=7&", "q=1&service=s1&"):
            for ordering in ("-timestamp", "timestamp"):
                with self.subTest(query=query, ordering=ordering):
                    everything = self.found(f"?{query}page_size=200&ordering={ordering}")

                    pages = self.walk(f"{query}page_size=7&ordering={ordering}")

                    self.assertEqual(list(chain.from_iterable(pages)), everything)
                    self.assertGreater(len(everything), 5)

    def test_it_goes_back_to_where_it_came_from(self) -> None:
        first = self.get("?service=s0&page_size=9")
        second = self.get(first["next"])

        self.assertEqual(self.get(second["previous"])["results"], first["results"])

    def test_it_looks_through_so_many_lines_and_says_where_to_go_on(self) -> None:
        with mock.patch.object(BoundedPages, "looked_through", 12):
            for query in ("q=n11&", "q=n11&service=s1&", "q=n1&level=info,error&", "host=h&level=critical&"):
                for ordering in ("-timestamp", "timestamp"):
                    with self.subTest(query=query, ordering=ordering):
                        pages = self.walk(f"{query}page_size=5&ordering={ordering}")

                        self.assertGreater(len(pages), 2)
                        with mock.patch.object(BoundedPages, "looked_through", 10_000):
                            everything = self.found(f"?{query}page_size=200&ordering={ordering}")
                        self.assertEqual(list(chain.from_iterable(pages)), everything)

    def test_it_asks_as_many_queries_however_many_lines_there_are(self) -> None:
        for query, count in (("", 2), ("?host=h", 2), ("?level=error", 2), ("?q=n1", 3), ("?service=s1", 7)):
            with self.subTest(query=query), self.assertNumQueries(count):
                self.get(query)

import base64
import datetime as dt
import json
import random
from typing import Any
from unittest import mock

from django.test import TestCase
from django.utils import timezone

from core.api import listing
from incidents.models import Incident
from incidents.tests.factories import make_incident, make_team
from responders.models import Team
from users.tests.factories import client_of, make_admin

INCIDENTS = "/api/v1/incidents/"
ORDERINGS = ("created_at", "updated_at", "severity", "priority", "resolve_due_at")
BOTH_WAYS = [sign + name for name in ORDERINGS for sign in ("", "-")]


def make_rows(number: int, **fields: Any) -> None:
    """Bare rows, past the services: paging reads nothing else."""
    now = fields.pop("created_at", timezone.now())
    varied = {name: value for name, value in fields.items() if callable(value)}
    plain = {name: value for name, value in fields.items() if name not in varied}
    shared = {"occurred_at": now, "created_at": now, "updated_at": now, "clock_started_at": now, **plain}
    Incident.objects.bulk_create(
        (
            Incident(title=f"Row {index}", **{**shared, **{name: make() for name, make in varied.items()}})
            for index in range(number)
        ),
        batch_size=500,
    )


def cursor_of(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


class PagingCase(TestCase):
    def setUp(self) -> None:
        self.client = client_of(make_admin())

    def walk(self, url: str | None, direction: str, limit: int = 200) -> tuple[list[int], str]:
        """The ids from page to page, and the last page's address; for `previous`, pages come last first."""
        ids: list[int] = []
        last = url or ""
        for _page in range(limit):
            if url is None:
                break
            answer = self.client.get(url).json()
            page = [row["id"] for row in answer["results"]]
            ids = ids + page if direction == "next" else page + ids
            last, url = url, answer[direction]
        self.assertIsNone(url, f"There is no end to it within {limit} pages.")
        return ids, last

    def assert_walks(self, url: str, expected: list[int]) -> None:
        """That all rows come once, in order, forwards and then backwards."""
        forwards, last = self.walk(url, "next")
        self.assertEqual(forwards, expected)
        answer = self.client.get(last).json()
        backwards, _ = self.walk(answer["previous"], "previous")
        self.assertEqual(backwards + [row["id"] for row in answer["results"]], expected)


class WalkTests(PagingCase):
    def test_it_walks_five_thousand_equal_rows(self) -> None:
        make_rows(5000, severity=3)
        ids = list(Incident.objects.order_by("id").values_list("id", flat=True))

        for ordering, expected in (("-severity", ids[::-1]), ("created_at", ids)):
            with self.subTest(ordering):
                self.assert_walks(f"{INCIDENTS}?page_size=200&ordering={ordering}", expected)

    def test_it_walks_every_ordering(self) -> None:
        chance, now = random.Random(7), timezone.now()
        moments = [now + dt.timedelta(hours=hour, microseconds=hour) for hour in range(5)]
        make_rows(
            137,
            severity=lambda: chance.randint(1, 4),
            priority=lambda: chance.randint(1, 4),
            created_at=now,
            updated_at=lambda: chance.choice(moments),
            resolve_due_at=lambda: chance.choice([None, None, *moments]),
        )
        for pk in Incident.objects.values_list("pk", flat=True)[:60]:
            Incident.objects.filter(pk=pk).update(created_at=chance.choice(moments))

        for ordering in BOTH_WAYS:
            with self.subTest(ordering):
                self.assert_walks(f"{INCIDENTS}?page_size=10&ordering={ordering}", self.by_hand(ordering))

    def by_hand(self, ordering: str) -> list[int]:
        name = ordering.removeprefix("-")
        names = [name, "created_at"] if name in ("severity", "priority") else [name]
        least = dt.datetime.min.replace(tzinfo=dt.UTC)

        def place(incident: Incident) -> tuple[Any, ...]:
            return (*(getattr(incident, each) or least for each in names), incident.pk)

        rows = sorted(Incident.objects.all(), key=place, reverse=ordering.startswith("-"))
        return [row.pk for row in rows]

    def test_it_keeps_its_place_while_rows_come_in(self) -> None:
        make_rows(30)
        ids = set(Incident.objects.values_list("id", flat=True))
        first = self.client.get(f"{INCIDENTS}?page_size=10").json()

        make_rows(5)
        rest, _ = self.walk(first["next"], "next")

        self.assertEqual(sorted([*(row["id"] for row in first["results"]), *rest]), sorted(ids))
        newer, _ = self.walk(self.client.get(first["next"]).json()["previous"], "previous")
        self.assertEqual(len(newer), 15)

    def test_it_keeps_its_place_where_the_row_is_gone(self) -> None:
        make_rows(20)
        ids = list(Incident.objects.order_by("-id").values_list("id", flat=True))
        first = self.client.get(f"{INCIDENTS}?page_size=10").json()

        Incident.objects.filter(pk=ids[9]).delete()

        self.assertEqual(self.walk(first["next"], "next")[0], ids[10:])

    def test_it_keeps_filters_from_page_to_page(self) -> None:
        make_rows(25, severity=4)
        make_rows(25, severity=1)

        ids, _ = self.walk(f"{INCIDENTS}?severity=critical&page_size=10&q=row", "next")

        self.assertEqual((len(ids), set(Incident.objects.filter(pk__in=ids).values_list("severity"))), (0, set()))
        ids, _ = self.walk(f"{INCIDENTS}?severity=critical&page_size=10", "next")
        self.assertEqual(set(Incident.objects.filter(pk__in=ids).values_list("severity", flat=True)), {4})
        self.assertEqual(len(ids), 25)

    def test_it_makes_one_query_of_all_pages(self) -> None:
        make_rows(12)

        with mock.patch.dict(listing._prepared_pages, clear=True):
            for ordering in ("created_at", "-resolve_due_at"):
                self.walk(f"{INCIDENTS}?page_size=2&ordering={ordering}", "next")
            kept = [key for key in listing._prepared_pages if key[0] == "incidents"]

        self.assertEqual(len(kept), 4)  # a first page, and one that follows

    def test_it_starts_with_the_newest(self) -> None:
        older, newer = make_incident(), make_incident()

        rows = self.client.get(INCIDENTS).json()["results"]

        self.assertEqual([row["id"] for row in rows], [newer.pk, older.pk])

    def test_it_links_to_nothing_beyond_the_ends(self) -> None:
        for number in (0, 10):
            with self.subTest(rows=number):
                make_rows(number)

                page = self.client.get(f"{INCIDENTS}?page_size=10").json()

                self.assertEqual((page["next"], page["previous"], len(page["results"])), (None, None, number))

    def test_it_puts_the_worst_first(self) -> None:
        for severity in (2, 4, 1, 3):
            make_rows(1, severity=severity, priority=severity)

        for name in ("severity", "priority"):
            rows = self.client.get(f"{INCIDENTS}?ordering=-{name}").json()["results"]

            words = {"severity": ["critical", "high", "medium", "low"], "priority": ["p1", "p2", "p3", "p4"]}[name]
            self.assertEqual([row[name] for row in rows], words)

    def test_it_refuses_pages_larger_than_the_largest_however_they_are_written(self) -> None:
        for size in ("0", "201", "00000005099999", "-1", "1.5", "²", ""):
            with self.subTest(size):
                self.assertEqual(self.client.get(INCIDENTS, {"page_size": size}).status_code, 400)

    def test_it_walks_names_that_look_like_times(self) -> None:
        Team.objects.all().delete()
        names = ["2026-01-01T00:00:00Z", "2026-01-01 00:00:00", "2027-01-01T00:00:00+01:00", "Zürich", "zz"]
        for name in names:
            make_team(name)

        url: str | None = "/api/v1/teams/?page_size=1"
        seen = []
        while url:
            page = self.client.get(url).json()
            seen += [row["name"] for row in page["results"]]
            url = page["next"]

        self.assertEqual(sorted(seen), sorted(names))


class CursorTests(PagingCase):
    KEYS = ("-created_at", "-id")
    TIME = "2026-01-01T00:00:00Z"

    def assert_refused(self, cursor: str, **parameters: str) -> None:
        answer = self.client.get(INCIDENTS, {"cursor": cursor, **parameters})

        self.assertEqual(answer.status_code, 400, answer.content[:200])
        self.assertEqual(answer.json()["errors"][0]["field"], "cursor")

    def test_it_refuses_cursors_of_another_ordering(self) -> None:
        make_rows(3)
        for ordering in BOTH_WAYS:
            page = self.client.get(INCIDENTS, {"ordering": ordering, "page_size": "1"}).json()
            cursor = page["next"].split("cursor=")[1].split("&")[0]
            for other in BOTH_WAYS:
                if other != ordering:
                    with self.subTest(ordering, other=other):
                        self.assert_refused(cursor, ordering=other)

    def test_it_refuses_damaged_cursors(self) -> None:
        good = cursor_of(["n", self.KEYS, self.TIME, 5])
        self.assertEqual(self.client.get(INCIDENTS, {"cursor": good}).status_code, 200)
        chance = random.Random(3)
        for _time in range(200):
            characters = list(good)
            characters[chance.randrange(len(good))] = chance.choice("ABCxyz019-_=%é\x00")
            with self.subTest("".join(characters)):
                answer = self.client.get(INCIDENTS, {"cursor": "".join(characters[: chance.randint(1, len(good))])})

                self.assertIn(answer.status_code, (200, 400))
        for text in ("", "x", "====", "é", "\x00", "W10", "bnVsbA", "e30", "MQ", "A" * 7000):
            with self.subTest(text):
                self.assert_refused(text)

    def test_it_refuses_values_of_another_type(self) -> None:
        wrong_times = [None, 5, True, "x", "2026-13-45T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", [], {}]
        wrong_times += ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "", "9" * 5000, 1.5, 10**30]
        for value in wrong_times:
            with self.subTest(time=value):
                self.assert_refused(cursor_of(["n", self.KEYS, value, 5]))
        for value in (None, "x", "5", True, 1.5, [], {}, 10**30, "9" * 5000):
            with self.subTest(id=value):
                self.assert_refused(cursor_of(["n", self.KEYS, self.TIME, value]))
        for direction in (None, 1, "", "x", "N", [], {}):
            with self.subTest(direction=direction):
                self.assert_refused(cursor_of([direction, self.KEYS, self.TIME, 5]))
        self.assert_refused(cursor_of(["n", self.KEYS, self.TIME]))
        self.assert_refused(cursor_of(["n", self.KEYS, self.TIME, 5, 6]))

    def test_it_survives_numbers_beyond_the_column(self) -> None:
        make_rows(3)
        for number in (2**63, 2**64 - 1, -(2**63), 2**31):
            for direction in ("n", "p"):
                with self.subTest(number=number, direction=direction):
                    cursor = cursor_of([direction, ["severity", "created_at", "id"], number, self.TIME, number])
                    answer = self.client.get(INCIDENTS, {"cursor": cursor, "ordering": "severity"})

                    self.assertEqual(answer.status_code, 200)

    def test_it_refuses_nesting_without_end(self) -> None:
        self.assert_refused(base64.urlsafe_b64encode(b"[" * 3000).decode())

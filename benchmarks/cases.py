"""What is measured: the requests, in the order in which they are sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks import history, people, words
from benchmarks.client import Reply, ask, request

API = "/api/v1"
COUNT = "X-Count-Queries: 1\r\n"
TEAM = people.team_ids_of(people.RESPONDER_IDS.start)[1]  # one that the asking responder is in
PAGES_BEFORE = 999
LAST_30_DAYS = (history.END - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")

REPORT = {
    "title": "Checkout answers with errors in zurich-1",
    "description": "Since ten past nine every third payment ends with a timeout. Nothing was deployed this morning.",
    "severity": "high",
    "priority": "p2",
    "category": "category-03",
    "location": "zurich-1",
    "services": ["service-010", "service-011"],
    "team": TEAM,
    "assignee": None,
    "is_restricted": False,
    "occurred_at": "2026-11-01T09:10:00Z",
}


@dataclass(frozen=True)
class Case:
    """A kind of request that is asked as often as it goes, eight at a time or (`is_heavy`) a few times one by one."""

    key: str
    title: str
    path: str
    is_heavy: bool = False


LISTS = [
    Case("list", "list of 50: default", f"{API}/incidents/"),
    Case("list open", "list of 50: is_open=true", f"{API}/incidents/?is_open=true"),
    Case("list team", "list of 50: severity and team", f"{API}/incidents/?severity=high&team={TEAM}"),
    Case("list severity", "list of 50: ordering=-severity", f"{API}/incidents/?ordering=-severity"),
]
SEARCHES = [
    Case("search rare", "search, rare word", f"{API}/incidents/?q={words.RARE_WORD}"),
    Case("search common", "search, word of a third of all", f"{API}/incidents/?q={words.COMMON_WORD}"),
]
DETAILS = [
    Case("detail", "detail of an incident with 50 events", f"{API}/incidents/{history.LONG_TIMELINE_ID}/"),
    Case("timeline", "its timeline", f"{API}/incidents/{history.LONG_TIMELINE_ID}/timeline/"),
]
NUMBERS = [
    Case("sla all", "metrics/sla by severity, all", f"{API}/metrics/sla/?group_by=severity", is_heavy=True),
    Case(
        "sla 30 days",
        "metrics/sla by severity, last 30 days",
        f"{API}/metrics/sla/?group_by=severity&created_after={LAST_30_DAYS}",
        is_heavy=True,
    ),
    Case("summary", "summary, unfiltered", f"{API}/incidents/summary/", is_heavy=True),
]


def thousandth_page(port: int, token: str) -> Case | None:
    """The 1,000th page of the default list, found by following `next`; None where there are fewer pages."""
    path = f"{API}/incidents/?page_size=200"
    steps = [200] * (PAGES_BEFORE * 50 // 200) + [50] * (PAGES_BEFORE * 50 % 200 // 50)
    for size, next_size in zip(steps, [*steps[1:], 50], strict=True):
        path = _with_size(path, size)
        page: Any = ask(port, request("GET", path, token=token)).json()
        if not page["next"]:
            return None
        path = _with_size(str(page["next"]), next_size)
    return Case("list 1000th", "list of 50: the 1,000th page", path)


def _with_size(url: str, size: int) -> str:
    """The path of a link of ours, asking for pages of another size."""
    path = url[url.index(API) :]
    address, _mark, query = path.partition("?")
    others = [part for part in query.split("&") if part and not part.startswith("page_size=")]
    return f"{address}?{'&'.join([*others, f'page_size={size}'])}"


def creations(token: str) -> bytes:
    """Reporting one incident."""
    return request("POST", f"{API}/incidents/", token=token, body=REPORT)


class Fresh:
    """Notes what is created, and moves it on: first everything is acknowledged, then everything resolved."""

    def __init__(self) -> None:
        self.ids: list[int] = []

    def note(self, reply: Reply) -> None:
        """Take down a created incident."""
        self.ids.append(int(str(reply.json()["id"])))

    def moves(self, token: str) -> Iterator[bytes]:
        """A transition of each, twice."""
        for status in ("acknowledged", "resolved"):
            for pk in self.ids:
                yield request("PATCH", f"{API}/incidents/{pk}/", token=token, body={"status": status})


def empty() -> bytes:
    """The empty view."""
    return request("GET", "/bench/empty/")


def posts() -> bytes:
    """The view that validates twelve fields."""
    return request("POST", "/bench/post/", body={**REPORT, "source": "api"})

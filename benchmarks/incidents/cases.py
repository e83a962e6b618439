"""What is measured: the requests, in the order in which they are sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks.client import Reply, request
from benchmarks.incidents import history, people, words
from benchmarks.server import Site

API = "/api/v1"
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
# What requests are measured against: the least that a view of this framework does.
YARDSTICKS = {
    "empty": ("empty DRF view", request("GET", "/bench/empty/")),
    "post": ("DRF POST with 12 fields", request("POST", "/bench/post/", body={**REPORT, "source": "api"})),
}


@dataclass(frozen=True)
class Case:
    """A kind of request, and what it takes turns with: the same at 1,000 (`small`), the first page of the default list
    there (`first`), a yardstick."""

    key: str
    title: str
    path: str
    rivals: tuple[str, ...] = ("small",)
    times: int = 0  # one by one in a turn; 0: eight at a time, for as long as a turn lasts


FIRST_PAGE = f"{API}/incidents/"
LONG = f"{API}/incidents/{history.LONG_TIMELINE_ID}/"
OF_LISTS = ("small", "first", "empty")
LISTS = [
    Case("list", "list of 50: default", FIRST_PAGE, OF_LISTS),
    Case("list open", "list of 50: is_open=true", f"{FIRST_PAGE}?is_open=true", OF_LISTS),
    Case("list team", "list of 50: severity and team", f"{FIRST_PAGE}?severity=high&team={TEAM}", OF_LISTS),
    Case("list severity", "list of 50: ordering=-severity", f"{FIRST_PAGE}?ordering=-severity", OF_LISTS),
]
OTHERS = [
    Case("search rare", "search, rare word", f"{FIRST_PAGE}?q={words.RARE_WORD}"),
    Case("search common", "search, word of a third of all", f"{FIRST_PAGE}?q={words.COMMON_WORD}"),
    Case("detail", "detail of an incident with 50 events", LONG, ("small", "empty")),
    Case("timeline", "its timeline", f"{LONG}timeline/"),
]
SLA = f"{API}/metrics/sla/?group_by=severity"
METRICS = [
    Case("sla all", "metrics/sla by severity, all", SLA, times=1),
    Case("sla 30 days", "metrics/sla by severity, last 30 days", f"{SLA}&created_after={LAST_30_DAYS}", times=4),
    Case("summary", "summary, unfiltered", f"{API}/incidents/summary/", times=20),
]
# COUNT and two AVG of timestamp differences by severity, as anybody would write it.
NAIVE = {
    "sqlite": "(julianday({0}) - julianday(created_at)) * 86400",
    "mariadb": "TIMESTAMPDIFF(MICROSECOND, created_at, {0}) / 1000000",
}


def naive(engine: str) -> str:
    """Return the aggregate that metrics are measured against, in SQL."""
    columns = ("acknowledged_at", "resolved_at")
    means = ", ".join(f"COUNT({column}), AVG({NAIVE[engine].format(column)})" for column in columns)
    return f"SELECT severity, COUNT(*), {means} FROM incidents_incident GROUP BY severity"


def thousandth_page(site: Site, token: str) -> Case | None:
    """Return the 1,000th page of the default list, found by following `next`; None where there are fewer pages."""
    path = f"{API}/incidents/?page_size=200"
    steps = [200] * (PAGES_BEFORE * 50 // 200) + [50] * (PAGES_BEFORE * 50 % 200 // 50)
    for size, next_size in zip(steps, [*steps[1:], 50], strict=True):
        path = _with_size(path, size)
        page: Any = site.ask(request("GET", path, token=token)).json()
        if not page["next"]:
            return None
        path = _with_size(str(page["next"]), next_size)
    return Case("list 1000th", "list of 50: the 1,000th page", path, OF_LISTS[1:])


def _with_size(url: str, size: int) -> str:
    """Return the path of a link of ours, asking for pages of another size."""
    path = url[url.index(API) :]
    address, _mark, query = path.partition("?")
    others = [part for part in query.split("&") if part and not part.startswith("page_size=")]
    return f"{address}?{'&'.join([*others, f'page_size={size}'])}"


class Reports:
    """Incidents that are reported, and then moved on: first all are acknowledged, then all resolved."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.creation = request("POST", f"{API}/incidents/", token=token, body=REPORT)
        self.ids: list[int] = []

    def note(self, reply: Reply) -> None:
        """Take down a created incident."""
        self.ids.append(int(str(reply.json()["id"])))

    def moves(self) -> Iterator[bytes]:
        """Yield a transition of each, twice."""
        for status in ("acknowledged", "resolved"):
            for pk in self.ids:
                yield request("PATCH", f"{API}/incidents/{pk}/", token=self.token, body={"status": status})

"""What must be reached of the status page, beside what was."""

from collections.abc import Iterator

from benchmarks.databases import ENGINES
from benchmarks.report import Line, limits_table, number
from benchmarks.status_page.serving import Served, measure_serving
from benchmarks.status_page.telling import Told, measure_telling

PAGE = "performance-status-page.md"
INTRODUCTION = """\
# Performance of the status page

Written by `make bench`; do not edit. Each limit stands beside what this run measured, on a database made anew. The page
has 40 components and 100 past incidents, in two languages; it is loaded over kept-alive connections in turns with an
empty DRF view of the same server. Seconds until visible count from the answer of the API. Subscribers are told by two
workers over SMTP (aiosmtpd on the same machine); some have unsubscribed."""

READERS = 10_000
SECONDS = {"quick": 2.0, "full": 5.0}
PUBLICATIONS = {"quick": 10, "full": 20}


def sections(engines: list[str], size: int, bench: str) -> Iterator[tuple[str, list[Line]]]:
    """Yield each part of the page, and the limits in it."""
    for engine in engines:
        served = measure_serving(engine, SECONDS[bench], PUBLICATIONS[bench])
        told = measure_telling(engine, READERS)
        lines = list(_lines(served, told))
        yield _section(engine, served, told, lines), lines


def _lines(served: Served, told: Told) -> Iterator[Line]:
    yield Line("the page, in a visitor's language, gzip", "÷ empty view", served.ratio, 0.8, at_least=True)
    yield Line("published to visible", "p95, s", served.slowest, 2)
    yield Line(
        f"{READERS:,} subscribers told of an update", "s, until all deliveries are committed", told.committed, 30
    )
    yield Line(f"{READERS:,} subscribers told of an update", "planned twice", told.planned_twice, 0)
    yield Line(f"{READERS:,} subscribers told of an update", "sent twice", told.sent_twice, 0)
    yield Line("those who have unsubscribed", "told", told.left, 0)


def _section(engine: str, served: Served, told: Told, lines: list[Line]) -> str:
    rates = (
        f"Requests a second, median of {len(served.page)}: the page {number(sorted(served.page)[1])}, the empty view "
    )
    rates += f"{number(sorted(served.empty)[1])}. All mails were sent after {number(told.sent)} s."
    return "\n\n".join([f"## {ENGINES[engine]}, status page", limits_table(lines), rates])

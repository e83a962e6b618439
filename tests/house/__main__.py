"""`python -m tests.house`: print each figure with its limit; exit 1 where one misses it.

With `--awaited`, as in `make check`, only rows that miss their limit are printed, and those in AWAITED do not fail it.
The other options print, instead of the figures, what lies behind one of them.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tests.databases import say
from tests.house import imports, prose, tracing, vendors
from tests.house.sources import functions, sources

# Limits that are not met yet; a row that meets its limit leaves.
AWAITED = {"incident functions", "alert functions", "lines"}

WORDS_PER_100 = 90
FILE_LINES = 400
FUNCTION_LINES = 50
WHOLE = {"agent/incident_agent.py"}  # copied to machines as the one file that it is


@dataclass(frozen=True)
class Row:
    """A figure, how far it may go, and what it was when the limit was set."""

    key: str
    title: str
    value: float
    limit: float
    was: float
    is_floor: bool = False

    @property
    def is_reached(self) -> bool:
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def __str__(self) -> str:
        bound = f"{'≥' if self.is_floor else '≤'} {self.limit:,}"
        verdict = "met" if self.is_reached else "missed"
        if not self.is_reached and self.key in AWAITED:
            verdict += ", not required yet"
        return f"{self.title:<55}{self.value:>8,}  {bound:<9}  was {self.was:<8,}{verdict}"


def main() -> int:
    """Print the figures, or what the options ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.house", description="Print figures and their limits.")
    parser.add_argument(
        "--awaited", action="store_true", help="print what misses its limit; fail only if it is not in AWAITED"
    )
    for name, details in DETAILS.items():
        parser.add_argument(f"--{name}", action="append_const", dest="details", const=details, help=details.__doc__)
    options = parser.parse_args()
    if options.details:
        for details in options.details:
            for line in details():
                say(line)
        return 0
    missed = []
    for row in rows():
        if not (options.awaited and row.is_reached):
            say(str(row))
        if not row.is_reached and not (options.awaited and row.key in AWAITED):
            missed.append(row.key)
    say(f"FAILED: {', '.join(missed)} over the limit." if missed else "House limits: OK.")
    return 1 if missed else 0


def rows() -> Iterator[Row]:
    """Yield each figure as it is counted."""
    known = sources()
    taken, rings = imports.infrastructure(known), imports.circles(known)
    yield Row("users", "imports of infrastructure from users (statements)", len(taken), 0, 105)
    yield Row("circles", "circles of files", len(rings), 0, 3)
    found = vendors.report()
    yield Row("vendors", "vendors in one folder", sum(not v for v in found.values()), len(found), 0, is_floor=True)
    incident, alert = tracing.report()
    title = "POST of an incident with a picture"
    yield Row("incident functions", f"{title}: functions", len(incident.functions), 120, 170)
    yield Row("incident SQL", f"{title}: SQL", len(incident.statements), 15, 19)
    title = "Alertmanager's request to its incident"
    yield Row("alert functions", f"{title}: functions", len(alert.functions), 140, 192)
    yield Row("alert SQL", f"{title}: SQL", len(alert.statements), 20, 26)
    words, code = (sum(counts) for counts in zip(*map(prose.words_and_code, known.values()), strict=True))
    yield Row("prose", "prose (words per 100 lines of code)", round(100 * words / code, 1), WORDS_PER_100, 165.0)
    texts = [text for source in known.values() for _line, _name, text in prose.docstrings(source)]
    share = round(100 * sum(map(prose.begins_with_verb, texts)) / len(texts), 1)
    yield Row("verbs", "functions' docstrings that begin with a verb (%)", share, 80, 23.4, is_floor=True)
    longest = max(length for length, path in files() if path not in WHOLE)
    yield Row("file", "longest file (lines)", longest, FILE_LINES, 470)
    yield Row("function", "longest function (lines)", max(n for n, _name in function_lengths()), FUNCTION_LINES, 48)
    yield Row("lines", "lines without tests and migrations", sum(n for n, _path in files()), 33_399, 33_413)


def files() -> list[tuple[int, str]]:
    """Return every file's lines and path, the longest first."""
    return sorted(((len(source.lines), source.path) for source in sources().values()), reverse=True)


def function_lengths() -> list[tuple[int, str]]:
    """Return every function's lines, from its `def` to its end, and where it is, the longest first."""
    return sorted(
        (
            ((node.end_lineno or 0) - node.lineno + 1, f"{source.path}:{node.lineno} {name}")
            for source in sources().values()
            for name, node in functions(source.tree)
        ),
        reverse=True,
    )


def list_imports() -> Iterator[str]:
    """list imports of infrastructure from users, and circles"""
    known = sources()
    yield from imports.infrastructure(known)
    yield from ("circle: " + " ↔ ".join(circle) for circle in imports.circles(known))


def list_vendors() -> Iterator[str]:
    """list what each vendor lacks in its folder or has elsewhere"""
    for vendor, wrong in vendors.report().items():
        yield f"{vendor}: {'whole' if not wrong else len(wrong)}"
        yield from (f"    {line}" for line in wrong)


def list_calls() -> Iterator[str]:
    """list the functions and SQL of the two requests, as they come"""
    titles = ("POST of an incident with a picture", "Alertmanager's request to its incident")
    for title, trace in zip(titles, tracing.report(), strict=True):
        yield f"{title}: {len(trace.functions)} functions, {len(trace.statements)} SQL"
        yield from (f"    {line}" for line in [*trace.functions, *trace.statements])


def list_prose() -> Iterator[str]:
    """list files with too much prose, by their words over the limit"""
    counted = ((*prose.words_and_code(source), source.path) for source in sources().values())
    over = ((words - WORDS_PER_100 * code // 100, words, code, path) for words, code, path in counted)
    for excess, words, code, path in sorted(over, reverse=True):
        if excess > 0:
            yield f"{excess:>5} words over: {words:>5} in {code:>4} lines of code  {path}"


def list_docstrings() -> Iterator[str]:
    """list functions' docstrings that do not begin with a verb"""
    for source in sources().values():
        for line, name, text in prose.docstrings(source):
            if not prose.begins_with_verb(text):
                yield f"{source.path}:{line} {name}: {text.splitlines()[0]}"


def list_long() -> Iterator[str]:
    """list files and functions past their limits"""
    yield from (f"{length} lines: {path}" for length, path in files() if length > FILE_LINES)
    yield from (f"{length} lines: {where}" for length, where in function_lengths() if length > FUNCTION_LINES)


DETAILS = {
    "imports": list_imports,
    "vendors": list_vendors,
    "list": list_calls,
    "prose": list_prose,
    "docstrings": list_docstrings,
    "long": list_long,
}

if __name__ == "__main__":
    sys.exit(main())

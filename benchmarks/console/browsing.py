"""`python -m benchmarks.console.browsing`: what is measured in Chromium, as JSON; a process of its own, on the demo."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks.console import lighthouse, memory, weight
from benchmarks.report import Line
from e2e.browser import chromium
from e2e.browser.case import BrowserCase
from e2e.browser.site import Site
from e2e.environments import Unavailable

# A section: its title, the lines in it, and what is said below them.
Part = tuple[str, list[Line], str]


def main() -> None:
    """Print all sections."""
    sections = [
        {"title": title, "lines": [asdict(line) for line in lines], "note": note} for title, lines, note in parts()
    ]
    json.dump(sections, sys.stdout)


def parts() -> Iterator[Part]:
    """Yield what could be measured, and why the rest could not."""
    try:
        chromium.find()
    except Unavailable as error:
        yield "In the browser", [], f"Not measured: {error}."
        return
    with Site() as site:
        with chromium.running() as browser:
            BrowserCase.site, BrowserCase.browser = site, browser
            case: Any = BrowserCase()
            case.setUp()
            yield "First load", weight.lines(weight.measure(site, browser)), ""
            yield "Memory", memory.lines(memory.measure(case.at(weight.PERSON))), ""
        try:
            found = lighthouse.measure(site)
        except Unavailable as error:
            yield "Lighthouse", [], f"Not measured: {error}."
            return
        faults = "; ".join(lighthouse.faults(found))
        note = f"Audits that found something: {faults}." if faults else ""
        yield f"Lighthouse {lighthouse.VERSION}", lighthouse.lines(found), note


if __name__ == "__main__":
    main()

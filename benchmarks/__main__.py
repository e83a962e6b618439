"""`python -m benchmarks`: make the data where it is missing, measure, print the tables, write them to docs/.

Incidents go to docs/performance.md, intake (alerts and log lines) to docs/performance-intake.md, paging to
docs/performance-paging.md, the console's pages to docs/performance-console.md, their streams to
docs/performance-live.md, the status page to docs/performance-status-page.md, suggestions to
docs/performance-assistant.md.
"""

import argparse
import os
import sys

from benchmarks.databases import SERVER, Database

SIZES = {"quick": 100_000, "full": 1_000_000}
PARTS = ("incidents", "intake", "paging", "console", "console_live", "status_page", "assistant")


def main() -> int:
    """Return 1 when a limit is missed."""
    options = _options()
    os.environ.update(Database("sqlite", 0).environment)
    import django

    django.setup()
    # Imported late: these need Django set up.
    from benchmarks import report
    from benchmarks.assistant import page as assistant
    from benchmarks.console import page as console
    from benchmarks.incidents import page as incidents
    from benchmarks.intake import page as intake
    from benchmarks.live import page as live
    from benchmarks.paging import page as paging
    from benchmarks.status_page import page as status_page

    engines = _engines(options.database)
    size = options.size or SIZES[options.bench]
    if options.only_data:
        incidents.make_data(engines, size)
        return 0
    pages = {"incidents": incidents, "intake": intake, "paging": paging, "console": console, "console_live": live}
    pages |= {"status_page": status_page, "assistant": assistant}
    missed = 0
    for name in [options.only] if options.only else PARTS[:1] if options.bench == "quick" else PARTS:
        page = pages[name]
        parts = []
        for text, lines in page.sections(engines, size, options.bench):
            print(f"\n{text}\n", flush=True)
            parts.append(text)
            missed += sum(not line.is_reached for line in lines)
        report.write(page.PAGE, page.INTRODUCTION, parts)
    print(f"{missed} limits missed." if missed else "All limits reached.")
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    bench = os.environ.get("BENCH") or "full"
    parser.add_argument("--bench", choices=sorted(SIZES), default=bench, help="quick: at 100,000 instead of 1,000,000")
    parser.add_argument("--database", choices=["sqlite", "mariadb", "both"], default="both")
    parser.add_argument("--size", type=int, help="how many incidents, instead")
    parser.add_argument(
        "--only", choices=PARTS, default=os.environ.get("ONLY") or None, help="one part (quick: incidents unless told)"
    )
    parser.add_argument("--only-data", action="store_true", help="make the data sets and stop")
    options = parser.parse_args()
    if options.bench not in SIZES:
        parser.error("BENCH is quick or full")
    return options


def _engines(database: str) -> list[str]:
    """Return those asked for; MariaDB only where a server answers, which is said."""
    wanted = ["sqlite", "mariadb"] if database == "both" else [database]
    if "mariadb" in wanted:
        server = Database("mariadb", 0)
        try:
            server.connect(to_database=False).close()
        except server.error:
            print(f"No MariaDB or MySQL server answers at {SERVER}; measuring without (BENCH_MARIADB says where).")
            wanted.remove("mariadb")
    return wanted


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks`: make the data where it is missing, measure, print the tables, write them to docs/.

Incidents go to docs/performance.md, intake (alerts and log lines) to docs/performance-intake.md.
"""

import argparse
import os
import sys

from benchmarks.databases import SERVER, Database

SMALL = 1_000
LARGE = {"quick": 100_000, "full": 1_000_000}
PARTS = ("incidents", "intake")
PACES = {"quick": (2.0, 5), "full": (8.0, 7)}


def main() -> int:
    """Returns 1 when a limit is missed."""
    options = _options()
    os.environ.update(Database("sqlite", SMALL).environment)
    import django

    django.setup()
    engines = _engines(options.database)
    size = options.size or LARGE[options.bench]
    parts = [options.only] if options.only else PARTS[:1] if options.bench == "quick" else PARTS
    missed = 0
    if "incidents" in parts:
        missed += _run(engines, size, options)
    if "intake" in parts and not options.only_data:
        from benchmarks.intake.report import run

        missed += run(engines, size, is_quick=options.bench == "quick")
    print(f"{missed} limits missed." if missed else "All limits reached.")
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    bench = os.environ.get("BENCH") or "full"
    parser.add_argument("--bench", choices=sorted(LARGE), default=bench, help="quick: at 100,000 instead of 1,000,000")
    parser.add_argument("--database", choices=["sqlite", "mariadb", "both"], default="both")
    parser.add_argument("--size", type=int, help="how many incidents, instead")
    parser.add_argument(
        "--only", choices=PARTS, default=os.environ.get("ONLY") or None, help="one part (quick: incidents unless told)"
    )
    parser.add_argument("--only-data", action="store_true", help="make the data sets and stop")
    options = parser.parse_args()
    if options.bench not in LARGE:
        parser.error("BENCH is quick or full")
    return options


def _engines(database: str) -> list[str]:
    """Those asked for; MariaDB only where a server answers, which is said."""
    wanted = ["sqlite", "mariadb"] if database == "both" else [database]
    if "mariadb" in wanted and not _answers():
        print(f"No MariaDB or MySQL server answers at {SERVER}; measuring without (BENCH_MARIADB says where).")
        wanted.remove("mariadb")
    return wanted


def _answers() -> bool:
    import MySQLdb

    try:
        Database("mariadb", SMALL).connect(to_database=False).close()
    except MySQLdb.Error:
        return False
    return True


def _run(engines: list[str], size: int, options: argparse.Namespace) -> int:
    # Imported late: these need Django set up.
    from benchmarks import report
    from benchmarks.dataset import ensure
    from benchmarks.measure import Pace, client_ceiling, compare, measure

    for wanted in (SMALL, size):
        ensure([Database(engine, wanted) for engine in engines])
    if options.only_data:
        return 0
    pace, parts, missed = Pace(*PACES[options.bench]), [], 0
    for engine in engines:
        small = compare(Database(engine, SMALL), pace)
        large = measure(Database(engine, size), pace)
        parts.append(report.section(large, small, notes=[]))
        missed += sum(not line.is_reached for line in report.lines(large, small))
        print(f"\n{parts[-1]}\n")
    report.write(parts, client_ceiling())
    return missed


if __name__ == "__main__":
    sys.exit(main())

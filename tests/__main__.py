"""`python -m tests`: the whole suite on SQLite, then on MySQL or MariaDB when one is reachable.

With `CI=true` or `REQUIRE_MARIADB=1` an unreachable server is a failure. Arguments go to `manage.py test`.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.databases import ROOT, is_server_required, say, server_url, why_unreachable

Counts = dict[str, int]


def main() -> int:
    """Run the passes, say what ran, and end with the sums on a line of their own."""
    url = server_url()
    passes = {"SQLite": run_pass("SQLite", f"sqlite:///{ROOT / 'db.sqlite3'}")}
    reason = why_unreachable(url)
    if reason is None:
        passes["MySQL/MariaDB"] = run_pass("MySQL/MariaDB", url)
    elif is_server_required():
        passes["MySQL/MariaDB"] = {"passed": 0, "failed": 1, "skipped": 0}
    say("")
    for name, counts in passes.items():
        say(f"{name}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped.")
    if reason is not None:
        say(f"MySQL/MariaDB: NOT RUN{', though it is required here' if is_server_required() else ''} ({reason}).")
    totals = {key: sum(counts[key] for counts in passes.values()) for key in ("passed", "failed", "skipped")}
    say(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if totals["failed"] or not totals["passed"] else 0


def run_pass(name: str, url: str) -> Counts:
    """One run of the suite in a process of its own."""
    say(f"=== Tests on {name} ===")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = {**os.environ, "DATABASE_URL": url, "TEST_REPORT": str(report), **secrets()}
        command = [sys.executable, "manage.py", "test", "--parallel", "--noinput", *sys.argv[1:]]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        counts: Counts = {"passed": 0, "failed": 0, "skipped": 0}
        if report.is_file():
            counts = json.loads(report.read_text(encoding="utf-8"))
        if code and not counts["failed"]:
            counts["failed"] = 1  # it broke down before or after the tests
        return counts


def secrets() -> dict[str, str]:
    """Throwaway keys, so that tests need no `.env`."""
    return {
        "SECRET_KEY": os.environ.get("SECRET_KEY", "only-for-tests-" + "0" * 32),
        "HISTORY_KEY": os.environ.get("HISTORY_KEY", "only-for-tests-" + "1" * 32),
    }


if __name__ == "__main__":
    sys.exit(main())

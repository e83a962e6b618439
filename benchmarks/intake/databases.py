"""The databases that intake is measured on: with no alert, and with a million stored ones."""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import DATA, Database

LIMITLESS = {
    "STORM_INCIDENTS_PER_MINUTE": "0",
    "WEB_PROCESSES": "2",
}


@dataclass(frozen=True)
class IntakeDatabase(Database):
    """One data set of stored alerts in one engine."""

    @property
    def name(self) -> str:
        return f"bench_alerts_{self.size}"

    @property
    def path(self) -> Path:
        return DATA / f"alerts-{self.size}.sqlite3"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **LIMITLESS}

    def ensure(self) -> None:
        """Make it: an empty one is made anew each time, one with alerts is filled once and kept."""
        if not self.size:
            self.clear()
        if self.engine == "mariadb":
            with contextlib.closing(self.connect(to_database=False)) as connection:
                connection.cursor().execute(f"CREATE DATABASE IF NOT EXISTS {self.name} CHARACTER SET utf8mb4")
        DATA.mkdir(exist_ok=True)
        self.run("manage.py", "migrate", "--verbosity", "0")
        if self.size:
            print(f"{self.size:,} stored alerts, {self.engine} …", file=sys.stderr, flush=True)
            self.inside("fill", str(self.size))
            self.inside("tidy", str(self.size))

    def clear(self) -> None:
        """Remove it."""
        if self.engine == "mariadb":
            with contextlib.closing(self.connect(to_database=False)) as connection:
                connection.cursor().execute(f"DROP DATABASE IF EXISTS {self.name}")
            return
        for suffix in ("", "-wal", "-shm", "-turn"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def inside(self, *arguments: str) -> str:
        """Run a step of `benchmarks.intake.inside` on it; what it printed."""
        return self.run("-m", "benchmarks.intake.inside", *arguments)

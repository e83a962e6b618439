"""The databases that are measured: where each data set lives, and how a program is told of it."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"
SERVER = os.environ.get("BENCH_MARIADB", "mysql://root@127.0.0.1:3306")
ENGINES = {"sqlite": "SQLite", "mariadb": "MariaDB"}

# Keys of its own: the digests in the kept data must not depend on whose checkout made them.
KEYS = {
    "SECRET_KEY": "benchmarks-only-0123456789abcdef0123456789abcdef",
    "HISTORY_KEY": "benchmarks-only-fedcba9876543210fedcba9876543210",
}
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
    "DEBUG": "false",
    "PLAIN_HTTP": "true",
    "LOG_LEVEL": "WARNING",
    "ACCESS_TOKEN_MINUTES": "600",
    "PUBLIC_URL": "http://127.0.0.1",
    "STORM_INCIDENTS_PER_MINUTE": "0",
}


@dataclass(frozen=True)
class Database:
    """One data set in one engine."""

    engine: str  # of ENGINES
    size: int
    kind: str = "incidents"  # or alerts, chaos
    server: str = SERVER  # MariaDB's address

    @property
    def name(self) -> str:
        return f"bench_{self.kind}_{self.size}"

    @property
    def path(self) -> Path:
        """Return the file of a SQLite data set."""
        return DATA / f"{self.kind}-{self.size}.sqlite3"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a program that works on it."""
        url = f"sqlite:///{self.path}" if self.engine == "sqlite" else f"{self.server}/{self.name}"
        return {**os.environ, **KEYS, **SETTINGS, "DATABASE_URL": url}

    def create(self) -> None:
        """Make it where it is missing, and bring its tables up to date."""
        if self.engine == "mariadb":
            self.query(
                f"CREATE DATABASE IF NOT EXISTS {self.name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
                to_database=False,
            )
        DATA.mkdir(exist_ok=True)
        self.run("manage.py", "migrate", "--verbosity", "0")

    def clear(self) -> None:
        """Remove it."""
        if self.engine == "mariadb":
            self.query(f"DROP DATABASE IF EXISTS {self.name}", to_database=False)
            return
        for suffix in ("", "-wal", "-shm", "-turn"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def run(self, *arguments: str) -> str:
        """Run `python …` on it and return what it printed."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed on {self.engine}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def inside(self, step: str, *arguments: object) -> Any:
        """Return what a function of this package, such as `intake.steps.source`, returns inside Django on it."""
        return json.loads(self.run("-m", "benchmarks.inside", step, *map(str, arguments)))

    def query(self, statement: str, *, to_database: bool = True) -> Any:
        """Return the rows of a statement, asked without Django."""
        with closing(self.connect(to_database=to_database)) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            rows = cursor.fetchall()
            connection.commit()
            return rows

    @property
    def error(self) -> type[Exception]:
        """Return what its driver raises."""
        if self.engine == "sqlite":
            return sqlite3.Error
        import MySQLdb

        return MySQLdb.Error

    def connect(self, *, to_database: bool = True) -> Any:
        """Return a plain connection, which may send files where it is MariaDB's."""
        if self.engine == "sqlite":
            return sqlite3.connect(self.path, timeout=30)
        import MySQLdb

        parts = urlsplit(self.server)
        return MySQLdb.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
            database=self.name if to_database else "",
            charset="utf8mb4",
            local_infile=1,
        )

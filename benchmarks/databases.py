"""The two databases that are measured: where each size lives, and how a program is told of it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).resolve().parent / "data"
SERVER = os.environ.get("BENCH_MARIADB", "mysql://root@127.0.0.1:3306")

# Keys of its own: the digests in the kept data must not depend on whose checkout made them.
KEYS = {
    "SECRET_KEY": "benchmarks-only-0123456789abcdef0123456789abcdef",
    "HISTORY_KEY": "benchmarks-only-fedcba9876543210fedcba9876543210",
}


@dataclass(frozen=True)
class Database:
    """One data set in one engine."""

    engine: str  # sqlite or mariadb
    size: int
    server: str = SERVER  # MariaDB's address

    @property
    def name(self) -> str:
        return f"bench_{self.size}"

    @property
    def path(self) -> Path:
        """The file of a SQLite data set."""
        return DATA / f"{self.size}.sqlite3"

    @property
    def url(self) -> str:
        """As DATABASE_URL wants it."""
        return f"sqlite:///{self.path}" if self.engine == "sqlite" else f"{self.server}/{self.name}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program that works on it."""
        return {
            **os.environ,
            **KEYS,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
            "DEBUG": "false",
            "PLAIN_HTTP": "true",
            "LOG_LEVEL": "WARNING",
            "ACCESS_TOKEN_MINUTES": "600",
            "PUBLIC_URL": "http://127.0.0.1",
        }

    def run(self, *arguments: str) -> str:
        """Run `python …` on it and return what it printed."""
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} failed on {self.engine}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def connect(self, *, to_database: bool = True) -> Any:
        """A plain connection to the MariaDB server, outside Django, that may send files."""
        import MySQLdb

        parts = urlsplit(self.server)
        return MySQLdb.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            passwd=unquote(parts.password or ""),
            db=self.name if to_database else "",
            charset="utf8mb4",
            local_infile=1,
        )

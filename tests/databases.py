"""Which databases there are to test on. `python -m tests.databases` runs Django's database checks on each."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pymysql

DEFAULT_SERVER = "mysql://root@127.0.0.1:3306/incident_response"
ROOT = Path(__file__).resolve().parent.parent


def server_url() -> str:
    """The MySQL or MariaDB server to use: DATABASE_URL if it names one, else the usual local address."""
    given = os.environ.get("DATABASE_URL", "")
    return given if given.startswith("mysql://") else DEFAULT_SERVER


def why_unreachable(url: str) -> str | None:
    """None when the server lets us in, else why not."""
    parts = urlsplit(url)
    try:
        _connect(url).close()
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        return f"no server at {parts.hostname}:{parts.port or 3306}: {error.args[-1]}"
    return None


def make_anew(name: str) -> None:
    """Make an empty database on the server; what a run that was killed left under this name goes first."""
    drop(name)
    _tell(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")


def drop(name: str) -> None:
    _tell(f"DROP DATABASE IF EXISTS `{name}`")


def url_of(name: str) -> str:
    return urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))


def _tell(statement: str) -> None:
    with _connect(server_url(), read_timeout=60) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def _connect(url: str, **options: Any) -> Any:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        connect_timeout=3,
        **options,
    )


def is_server_required() -> bool:
    """Whether a run without MySQL or MariaDB counts as failed."""
    return os.environ.get("CI", "").lower() in ("1", "true") or os.environ.get("REQUIRE_MARIADB") == "1"


def say(text: str) -> None:
    """Print at once, so that the lines keep their place among those of other processes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run `check --database default` on SQLite, and on the server when there is one."""
    failed = _check("SQLite", f"sqlite:///{ROOT / '.venv' / 'check.sqlite3'}")
    reason = why_unreachable(server_url())
    if reason is None:
        # Our own database may not exist there yet; this one always does.
        return failed or _check("MySQL/MariaDB", url_of("information_schema"))
    say(f"Database check on MySQL/MariaDB: NOT RUN ({reason}).")
    return 1 if is_server_required() else failed


def _check(name: str, url: str) -> int:
    say(f"Database check on {name}:")
    command = [sys.executable, "manage.py", "check", "--database", "default", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

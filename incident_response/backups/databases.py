"""Copy the database consistently under writes, and restore it."""

import contextlib
import datetime as dt
import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from django.db import connection
from django.utils import timezone

from core.models import JobRun
from incident_response.backups import BackupError

FILE_NAMES = {"sqlite": "database.sqlite3", "mysql": "database.sql.gz"}
DUMP_TOOLS, LOAD_TOOLS = ("mariadb-dump", "mysqldump"), ("mariadb", "mysql")
LAST_LINE = b"-- Dump completed"
IN_USE_FOR = dt.timedelta(seconds=20)  # reports come at least every 10 s
# `loose-` options may be unknown; like our driver, no certificate is checked;
# some servers lack `column-statistics`
OPTIONS = """[client]
default-character-set=utf8mb4
loose-skip-ssl-verify-server-cert
max-allowed-packet=1G
[mysqldump]
loose-column-statistics=0
loose-set-gtid-purged=OFF
"""


def copy_out(folder: Path) -> Path:
    """Copy the database, as of one moment. Raises BackupError."""
    path = folder / FILE_NAMES[connection.vendor]
    if connection.vendor == "sqlite":
        _copy_sqlite(path)
    else:
        _dump(path)
    return path


def copy_in(path: Path) -> None:
    """Replace the present database. Raises BackupError."""
    if connection.vendor == "sqlite":
        _replace_sqlite(path)
    else:
        _load(path)


def is_empty() -> bool:
    """Return whether there are no people and incidents."""
    tables = set(_table_names())
    with connection.cursor() as cursor:
        for table in {"users_user", "incidents_incident"} & tables:
            cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608 (our own names)
            if cursor.fetchone():
                return False
    return True


def is_in_use(wait: Callable[[float], object] = time.sleep) -> bool:
    """Return whether a server uses it, waiting if one was seen lately."""
    if JobRun._meta.db_table not in _table_names():
        return False
    last_runs = _last_runs()
    silent_for = min((abs(timezone.now() - at) for at in last_runs.values()), default=IN_USE_FOR)
    if silent_for >= IN_USE_FOR:
        return False
    wait((IN_USE_FOR - silent_for).total_seconds())
    return _last_runs() != last_runs


def _last_runs() -> dict[str, dt.datetime]:
    return dict(JobRun.objects.values_list("name", "started_at"))


def _table_names() -> list[str]:
    with connection.cursor() as cursor:
        return connection.introspection.table_names(cursor)


def _copy_sqlite(path: Path) -> None:
    connection.ensure_connection()
    with contextlib.closing(sqlite3.connect(path)) as copy:
        connection.connection.backup(copy)
        # One file, without a write-ahead log.
        copy.execute("PRAGMA journal_mode = DELETE")
        verdict = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise BackupError(f"The database is damaged: {verdict}. Keep the last good backup, and this copy: {path}.")


def _replace_sqlite(path: Path) -> None:
    target = Path(connection.settings_dict["NAME"])
    connection.close()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.restored")
    shutil.copyfile(path, draft)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    for suffix in ("-wal", "-shm"):  # of the old database
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    draft.replace(target)


def _dump(path: Path) -> None:
    name = str(connection.settings_dict["NAME"])
    tool = _found(DUMP_TOOLS)
    consistent = ["--single-transaction", "--skip-lock-tables", "--quick", "--hex-blob", "--no-tablespaces"]
    with _options() as options, tempfile.TemporaryFile() as faults, gzip.open(path, "wb", compresslevel=3) as dump:
        process = subprocess.Popen(  # noqa: S603
            [tool, f"--defaults-file={options}", *consistent, name], stdout=subprocess.PIPE, stderr=faults
        )
        assert process.stdout is not None  # noqa: S101 (for the type checker)
        end = b""
        while chunk := process.stdout.read(1024 * 1024):
            dump.write(chunk)
            end = (end + chunk)[-200:]
        _raise_for(process.wait(), tool, faults)
    if LAST_LINE not in end:
        raise BackupError(f"{tool} ended before its last line; the copy is not complete.")


def _load(path: Path) -> None:
    name = str(connection.settings_dict["NAME"])
    tool = _found(LOAD_TOOLS)
    _drop_all_tables()
    connection.close()
    with _options() as options, tempfile.TemporaryFile() as faults, gzip.open(path, "rb") as dump:
        process = subprocess.Popen(  # noqa: S603
            [tool, f"--defaults-file={options}", name], stdin=subprocess.PIPE, stderr=faults
        )
        assert process.stdin is not None  # noqa: S101 (for the type checker)
        with contextlib.suppress(BrokenPipeError):  # the tool's own words say why
            shutil.copyfileobj(dump, process.stdin, 1024 * 1024)
            process.stdin.close()
        _raise_for(process.wait(), tool, faults)


def _drop_all_tables() -> None:
    with connection.cursor() as cursor, connection.constraint_checks_disabled():
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(table)}")


def _found(tools: tuple[str, ...]) -> str:
    for tool in tools:
        if found := shutil.which(tool):
            return found
    raise BackupError(
        f"Neither {' nor '.join(tools)} is installed here, and one is needed; on Debian: apt install mariadb-client."
    )


@contextlib.contextmanager
def _options() -> Iterator[Path]:
    """Yield a private file of options: everybody sees command lines."""
    config = connection.settings_dict
    socket_or_host = "socket" if str(config["HOST"]).startswith("/") else "host"
    sign_in = {
        "user": config["USER"],
        "password": config["PASSWORD"],
        socket_or_host: config["HOST"] or "localhost",
        "port": config["PORT"] or 3306,
    }
    lines = [f"{name}={_quoted(str(value))}" for name, value in sign_in.items() if value]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.cnf"
        path.touch(mode=0o600)
        path.write_text(OPTIONS + "[client]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        yield path


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _raise_for(code: int, tool: str, faults: IO[bytes]) -> None:
    if code:
        faults.seek(0)
        words = faults.read(2000).decode(errors="replace").strip()
        raise BackupError(f"{Path(tool).name} failed: {words or f'it ended with {code}'}.")

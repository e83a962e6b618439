"""Check cheaply that the database answers, writes, and is undamaged."""

import shutil
import sqlite3
import sys
import threading
import time
from pathlib import Path

from django.db import DatabaseError, Error, connection
from django.utils import timezone

from core.db.outages import SENTENCES, Trouble, outages
from core.db.transactions import sqlite_file, unit_of_work
from core.models import JobRun
from core.server.condition import Unhealthy

WRITE_CHECK = "write_check"  # a JobRun row
WRITE_SECONDS = 10.0  # success is trusted for
LATELY_SECONDS = 30.0  # after somebody ran out of disk: a small row may still fit
FREE_BYTES = 4 * 1024 * 1024
LOOK_SECONDS = 10.0  # minimum between scans
LOOK_SHARE = 100  # times a scan's duration: costs 1 %
FIRST_SECONDS = 60.0  # until the first scan
BYTES_A_SECOND = 50 * 1024 * 1024
DAMAGE_SECONDS = 600.0


def check_database() -> str:
    try:
        with connection.cursor() as cursor:
            # SQLite opens its file only for content.
            cursor.execute("SELECT COUNT(*) FROM sqlite_master" if connection.vendor == "sqlite" else "SELECT 1")
            cursor.fetchone()
    except Error as error:
        raise Unhealthy(_sentence(error, "The database does not answer.")) from error
    outages.over(Trouble.UNREACHABLE)
    return connection.vendor


class WriteCheck:
    """Fails when no row can be written, or SQLite's disk is nearly full."""

    def __init__(self) -> None:
        self._good_until = 0.0

    def __call__(self) -> str:
        if Trouble.FULL in outages.present(within=LATELY_SECONDS):
            self._good_until = 0.0
        if time.monotonic() >= self._good_until:
            self._probe()
            self._good_until = time.monotonic() + WRITE_SECONDS
        return "ok"

    def _probe(self) -> None:
        try:
            _write()
        except Error as error:
            raise Unhealthy(_sentence(error, "The database accepts no writes.")) from error
        if (file := sqlite_file()) is not None and (free := shutil.disk_usage(file.parent).free) < FREE_BYTES:
            raise Unhealthy(f"The disk of the database is full: {free:,} bytes are left.")
        lately = outages.present(within=LATELY_SECONDS)
        if file is None and Trouble.FULL in lately:
            raise Unhealthy(SENTENCES[Trouble.FULL])
        outages.over(Trouble.READ_ONLY, Trouble.FULL, *({Trouble.BUSY} - set(lately)))


class IntegrityCheck:
    """Fails when SQLite's file, or a page read by a server, is damaged.

    Scans run in their own thread and connection, whose cache is empty.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_looking = False
        self._next: float | None = None
        self.damage = ""
        self.looked: float | None = None

    def __call__(self) -> str:
        file = sqlite_file()
        if file is not None and self._is_due(file):
            threading.Thread(target=self.look, args=(file,), name="integrity", daemon=True).start()
        if self.damage:
            raise Unhealthy(self.damage)
        if Trouble.CORRUPT in outages.present(within=DAMAGE_SECONDS):
            raise Unhealthy(SENTENCES[Trouble.CORRUPT])
        if file is None:
            return "no damage met"
        return "not checked yet" if self.looked is None else f"intact {int(time.monotonic() - self.looked)} s ago"

    def look(self, file: Path) -> None:
        begun = time.monotonic()
        fault = fault_of(file)
        now = time.monotonic()
        if fault:
            trouble = outages.note(DatabaseError(fault))
            whose = "is damaged; restore a backup" if trouble is Trouble.CORRUPT else "cannot be read"
            self.damage = f"The database's file {whose} ({fault})."
        else:
            self.damage, self.looked = "", now
            outages.over(Trouble.CORRUPT)
        with self._lock:
            self._is_looking, self._next = False, now + max(LOOK_SECONDS, LOOK_SHARE * (now - begun))

    def _is_due(self, file: Path) -> bool:
        now = time.monotonic()
        with self._lock:
            if self._next is None:
                self._next = now + min(FIRST_SECONDS, _size(file) / BYTES_A_SECOND)
            if self._is_looking or now < self._next:
                return False
            self._is_looking = True
            return True


def fault_of(file: Path) -> str:
    """Return SQLite's complaint about its file, or ""."""
    try:
        opened = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            (found,) = opened.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            opened.close()
    except sqlite3.DatabaseError as error:
        return "" if "locked" in str(error) else str(error)
    return "" if found == "ok" else f"database disk image is malformed: {str(found).splitlines()[-1]}"


def describe_database() -> str:
    """Return vendor, version and driver."""
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    product = "MariaDB" if getattr(connection, "mysql_is_mariadb", False) else "MySQL"
    driver = "PyMySQL" if "pymysql" in sys.modules["MySQLdb"].__name__ else "mysqlclient"
    return f"{product} {'.'.join(map(str, connection.get_database_version()))} ({driver})"


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0  # the scan will say why


@unit_of_work
def _write() -> None:
    JobRun.objects.update_or_create(name=WRITE_CHECK, defaults={"started_at": timezone.now()})


def _sentence(error: Error, otherwise: str) -> str:
    trouble = outages.note(error)
    return otherwise if trouble is None or trouble is Trouble.UNREACHABLE else SENTENCES[trouble]

"""A small database of the commit 8628402, as its own server wrote it, on either kind of database."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from tests import databases

CONTENT = json.loads((Path(__file__).parent / "earlier_database.json").read_text(encoding="utf-8"))
# What it was made with, and what was given out then.
HISTORY_KEY = "only-for-tests-11111111111111111111111111111111"
TOKEN = "irt_lsUxuuLXjdBHFIcDTvdnDKmpSZbQq9cW5lGVUefP"
SOURCE_KEY = "v7f98luyon8jfrhvc15p901tf0iczyj9"
PASSWORD = "four-green-lamps"
FILE = "attachments/2026/11/30/d53fc4186c394a9390647a4c7c829973", b"read me"


class EarlierSqlite:
    """In a file."""

    vendor, place = 0, "?"

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'earlier.sqlite3'}"
        self.connection: Any = sqlite3.connect(folder / "earlier.sqlite3", isolation_level=None)
        self.fill()

    def fill(self) -> None:
        """Make its tables, and put in its rows."""
        for name, table in CONTENT["tables"].items():
            columns = [column.split(":") for column in table["columns"].split()]
            types = ", ".join(f"{quoted(column)} {self.type_of(kind)}" for column, kind in columns)
            self.run(f"CREATE TABLE {name} ({types})")
            for row in table["rows"]:
                values = [
                    value.encode("utf-8", "surrogateescape") if kind == "blob" else value
                    for value, (_column, kind) in zip(row, columns, strict=True)
                ]
                self.run(f"INSERT INTO {name} VALUES ({', '.join([self.place] * len(row))})", values)

    def type_of(self, kind: str) -> str:
        """As it was declared there."""
        return str(CONTENT["types"][kind][self.vendor])

    def run(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """Run one statement, in which names are quoted as MySQL quotes them."""
        return list(self.connection.execute(statement, values).fetchall())

    def next_incident(self, number: int) -> None:
        """Have the next incident there get this number."""
        self.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'incidents_incident'", [number - 1])

    def drop(self) -> None:
        """Do away with it."""
        self.connection.close()


class EarlierMysql(EarlierSqlite):
    """On the server that the tests run on."""

    vendor, place = 1, "%s"

    def __init__(self, folder: Path) -> None:
        import pymysql

        self.name = f"{settings.DATABASES['default']['NAME']}_earlier"
        self.url = databases.url_of(self.name)
        databases.make_anew(self.name)
        config = {name: settings.DATABASES["default"][name.upper()] for name in ("user", "password", "host")}
        port = int(settings.DATABASES["default"]["PORT"] or 3306)
        self.connection = pymysql.connect(**config, port=port, database=self.name, charset="utf8mb4", autocommit=True)
        self.fill()

    def type_of(self, kind: str) -> str:
        """As there; MySQL keeps UUIDs as text."""
        has_uuid = connection.features.has_native_uuid_field
        return "char(32)" if kind == "uuid" and not has_uuid else super().type_of(kind)

    def run(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def next_incident(self, number: int) -> None:
        self.run(f"ALTER TABLE incidents_incident AUTO_INCREMENT = {number:d}")

    def drop(self) -> None:
        super().drop()
        databases.drop(self.name)


def quoted(column: str) -> str:
    """A name that may be a word of SQL, as both databases take it."""
    return f"`{column}`"

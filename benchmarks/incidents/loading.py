"""Getting files of rows into a database fast: without indexes, which are built once the rows are there."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from benchmarks.databases import Database
from benchmarks.incidents.tables import value_of


@dataclass(frozen=True)
class Rows:
    """A file of rows for one table. `offsets` are added to the columns they name."""

    table: str
    columns: list[str]
    path: Path
    count: int
    offsets: dict[str, int] = field(default_factory=dict)
    uuid_columns: frozenset[str] = frozenset()


class Loader(Protocol):
    """What both engines can do."""

    def begin(self, tables: list[str]) -> None:
        """Take the indexes off the empty tables."""

    def load(self, rows: Rows) -> None:
        """Add a file of rows."""

    def finish(self) -> None:
        """Build the indexes."""


class SqliteLoader:
    """Multi-row inserts in one transaction per file, with nothing synced until the end."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.indexes: list[str] = []

    def begin(self, tables: list[str]) -> None:
        self.connection = sqlite3.connect(self.database.path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-524288", "foreign_keys=OFF"):
            self.connection.execute(f"PRAGMA {pragma}")
        for table in tables:
            self._drop_indexes(table)

    def _drop_indexes(self, table: str) -> None:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        for name, sql in self.connection.execute(query, [table]).fetchall():
            self.connection.execute(f'DROP INDEX "{name}"')
            self.indexes.append(sql)

    def load(self, rows: Rows) -> None:
        key = "rowid" if rows.table == "incidents_search" else None
        columns = [key or rows.columns[0], *rows.columns[1:]]
        names = ", ".join(f'"{column}"' for column in columns)
        marks = ", ".join("?" * len(columns))
        self.connection.execute("BEGIN")
        self.connection.executemany(f"INSERT INTO {rows.table} ({names}) VALUES ({marks})", _values(rows))
        self.connection.execute("COMMIT")

    def finish(self) -> None:
        for sql in self.indexes:
            self.connection.execute(sql)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.close()


def _values(rows: Rows) -> Iterator[list[Any]]:
    shifted = [(rows.columns.index(column), by) for column, by in rows.offsets.items()]
    uuids = [rows.columns.index(column) for column in rows.uuid_columns]
    with rows.path.open(encoding="utf-8") as lines:
        for line in lines:
            values: list[Any] = [value_of(text) for text in line.rstrip("\n").split("\t")]
            for place, by in shifted:
                values[place] = int(values[place]) + by
            for place in uuids:
                values[place] = values[place].replace("-", "")
            yield values


class MariaLoader:
    """LOAD DATA LOCAL INFILE; each table's indexes are added in one go, which sorts instead of inserting."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.keys: dict[str, list[str]] = {}

    def begin(self, tables: list[str]) -> None:
        self.connection = self.database.connect()
        self.connection.autocommit(True)
        for setting in ("foreign_key_checks", "unique_checks", "check_constraint_checks"):
            self._execute(f"SET SESSION {setting} = 0")
        for table in tables:
            self._drop_keys(table)

    def _drop_keys(self, table: str) -> None:
        definition = self._execute(f"SHOW CREATE TABLE {table}")[0][1]
        keys = re.findall(r"^  ((?:UNIQUE |FULLTEXT )?KEY `(\w+)` .*?),?$", definition, re.MULTILINE)
        if keys:
            self._execute(f"ALTER TABLE {table} " + ", ".join(f"DROP KEY `{name}`" for _definition, name in keys))
            self.keys[table] = [key for key, _name in keys]

    def load(self, rows: Rows) -> None:
        columns = ", ".join(f"@{name}" if name in rows.offsets else f"`{name}`" for name in rows.columns)
        shifts = ", ".join(f"`{name}` = @{name} + {by}" for name, by in rows.offsets.items())
        with self.connection.cursor() as cursor:
            count = cursor.execute(
                f"LOAD DATA LOCAL INFILE '{rows.path}' INTO TABLE {rows.table} CHARACTER SET utf8mb4 ({columns})"
                + (f" SET {shifts}" if shifts else "")
            )
            # LOCAL turns what is an error elsewhere into a warning.
            cursor.execute("SHOW WARNINGS")
            warnings = cursor.fetchall()
        if count != rows.count or warnings:
            raise RuntimeError(f"{count} of {rows.count} rows came into {rows.table}: {warnings[:3]}")

    def finish(self) -> None:
        for table, keys in self.keys.items():
            self._execute(f"ALTER TABLE {table} " + ", ".join(f"ADD {key}" for key in keys))
            self._execute(f"ANALYZE TABLE {table}")
        self.connection.close()

    def _execute(self, statement: str) -> Any:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


def loader_for(database: Database) -> Loader:
    """The loader of the database's engine."""
    return SqliteLoader(database) if database.engine == "sqlite" else MariaLoader(database)

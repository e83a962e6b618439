"""Group rows by incident in a temporary SQLite file, in bounded memory and any order.

The whole file is read before anything is imported.
"""

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Self

from incidents.imports.reading import Cells, UnreadableFile

SETTINGS = "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384; PRAGMA temp_store=FILE;"


class Spool:
    """Rows by incident; a context manager that deletes its file."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="import_incidents_")
        self.database = sqlite3.connect(Path(self.folder.name) / "rows.sqlite3")
        self.database.executescript(SETTINGS)
        self.database.execute("CREATE TABLE rows (key TEXT NOT NULL, line INTEGER NOT NULL, cells TEXT NOT NULL)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self.database.close()
        self.folder.cleanup()

    def fill(self, rows: Iterable[Cells]) -> None:
        """Store rows; the first cell is the incident's identity. Raises UnreadableFile when the disk is full."""
        try:
            self.database.executemany(
                "INSERT INTO rows VALUES (?, ?, ?)", ((row.values[0], row.line, json.dumps(row.values)) for row in rows)
            )
        except sqlite3.OperationalError as error:
            raise UnreadableFile(f"The rows cannot be put down in {self.folder.name}: {error}.") from error

    def incidents(self) -> Iterator[list[Cells]]:
        """Yield the rows of each incident, in the order of the file."""
        found = self.database.execute(
            "SELECT first, line, cells FROM (SELECT line, cells, MIN(line) OVER (PARTITION BY key) AS first FROM rows) "
            "ORDER BY first, line"
        )
        for _, rows in groupby(found, key=itemgetter(0)):
            yield [Cells(line, tuple(json.loads(cells))) for _, line, cells in rows]

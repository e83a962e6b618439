"""Where the server under test keeps its rows: a database that nobody else uses and that goes with it."""

import os
from pathlib import Path

from tests import databases


class Database:
    """A file in the folder; or, where DATABASE_URL names a MySQL or MariaDB server, a database of its own there."""

    def __init__(self, folder: Path) -> None:
        self.is_on_server = os.environ.get("DATABASE_URL", "").startswith("mysql://")
        self.name = f"e2e_{os.getpid()}"
        self.url = databases.url_of(self.name) if self.is_on_server else f"sqlite:///{folder / 'db.sqlite3'}"

    def create(self) -> None:
        """Make it; what a former run of this name left is gone."""
        if self.is_on_server:
            databases.make_anew(self.name)

    def drop(self) -> None:
        """Leave nothing on the server. A file goes with its folder."""
        if self.is_on_server:
            databases.drop(self.name)

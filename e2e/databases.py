"""Where the server under test keeps its rows: a database that nobody else uses and that goes with it."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import pymysql


class Database:
    """A file in the folder; or, where DATABASE_URL names a MySQL or MariaDB server, a database of its own there."""

    def __init__(self, folder: Path) -> None:
        given = os.environ.get("DATABASE_URL", "")
        self.server = urlsplit(given) if given.startswith("mysql://") else None
        self.name = f"e2e_{os.getpid()}"
        file = f"sqlite:///{folder / 'db.sqlite3'}"
        self.url = urlunsplit(self.server._replace(path=f"/{self.name}")) if self.server else file

    def create(self) -> None:
        """Make it; what a former run of this name left is gone."""
        self.drop()
        self._tell(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4")

    def drop(self) -> None:
        """Leave nothing on the server. A file goes with its folder."""
        self._tell(f"DROP DATABASE IF EXISTS {self.name}")

    def _tell(self, statement: str) -> None:
        if self.server is None:
            return
        connection = pymysql.connect(
            host=self.server.hostname or "127.0.0.1",
            port=self.server.port or 3306,
            user=unquote(self.server.username or "root"),
            password=unquote(self.server.password or ""),
            connect_timeout=10,
            read_timeout=60,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)

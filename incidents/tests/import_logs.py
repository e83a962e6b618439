"""Small logs for the tests of the import."""

import datetime as dt
import tempfile
from pathlib import Path
from typing import Any

from django.test import SimpleTestCase

from incidents.imports.mapping import parse
from incidents.imports.reading import Cells

HEADER = "number,state,opened,updated,mods,by,priority,group,person,where,kind,resolved,closed,summary"
MAPPING_TEXT = """
origin_system = "tracker"
missing = ["?"]
time_formats = ["%d/%m/%Y %H:%M", "iso"]
details = ["kind"]
text = {title = "{summary}"}
team = {column = "group", create = true}
category = {column = "kind", create = true}

[columns]
id = "number"
opened_at = "opened"
updated_at = "updated"
order = "mods"
updated_by = "by"
resolved_at = "resolved"
closed_at = "closed"
assignee = "person"
location = "where"

[status]
column = "state"

[status.values]
New = "open"
Seen = "acknowledged"
Active = "in_progress"
Waiting = "on_hold"
Resolved = "resolved"
Closed = "closed"

[severity]
column = "priority"
values = {Bad = "critical", Mild = "low"}
"""
MAPPING = parse(MAPPING_TEXT)
NOW = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def line(**cells: str) -> str:
    """One line of a log; what is not given is an unremarkable value."""
    usual = dict.fromkeys(HEADER.split(","), "?") | {"number": "A1", "state": "New", "opened": "1/2/2016 08:00"}
    usual |= {"updated": "1/2/2016 08:00", "summary": "Disk full", **cells}
    return ",".join(usual.values())


def cells(number: int = 2, /, **values: str) -> Cells:
    """The same as one record."""
    by_name = dict(zip(HEADER.split(","), line(**values).split(","), strict=True))
    return Cells(number, tuple(by_name[name] for name in MAPPING.used_columns))


def at(hour: int, minute: int = 0) -> dt.datetime:
    """A time on the day that the usual log tells of."""
    return dt.datetime(2016, 2, 1, hour, minute, tzinfo=dt.UTC)


class LogFiles(SimpleTestCase):
    """Makes files that go with the test."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, *lines: str, name: str = "log.csv") -> Path:
        """A log with the usual header and these lines."""
        return self.write_bytes("\n".join([HEADER, *lines, ""]).encode(), name=name)

    def write_bytes(self, content: bytes, name: str = "log.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def write_mapping(self, text: str = MAPPING_TEXT) -> Path:
        return self.write_bytes(text.encode(), name="mapping.toml")

    def options(self, **extra: Any) -> dict[str, Any]:
        return {"mapping": str(self.write_mapping()), **extra}

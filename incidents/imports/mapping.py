"""What the columns of a foreign log mean: a TOML file, read strictly. See docs/import.md for every key."""

import codecs
import re
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from core.errors import DomainError
from core.severity import PRIORITY_OF_WORD, SEVERITY_OF_WORD, Priority, Severity
from incidents.vocabulary import STATUS_OF_WORD, Status

SHIPPED = Path(__file__).resolve().parent / "mappings"
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
REQUIRED_COLUMNS = ("id", "opened_at", "updated_at")
OPTIONAL_COLUMNS = ("order", "updated_by", "opened_by", "resolved_at", "closed_at", "assignee", "location")
SCALARS = frozenset({"origin_system", "encoding", "delimiter", "missing", "time_zone", "time_formats", "details"})
TABLES = frozenset({"columns", "text", "status", "severity", "priority", "team", "category"})


class MappingError(DomainError):
    """The mapping cannot be used."""

    code = "invalid_mapping"
    title = "Invalid mapping"


@dataclass(frozen=True)
class Translation:
    """A column whose words become numbers of ours; `default` stands where no row has said anything yet."""

    column: str
    values: Table[str, int]
    default: int


@dataclass(frozen=True)
class Named:
    """A column of names of teams or categories; unknown ones are created, or else refused."""

    column: str
    create: bool


@dataclass(frozen=True)
class Mapping:
    """What the columns of a log mean."""

    origin_system: str
    encoding: str
    delimiter: str
    missing: frozenset[str]
    time_zone: ZoneInfo
    time_formats: tuple[str, ...]
    columns: Table[str, str]
    details: tuple[str, ...]
    title: str
    description: str
    status_column: str
    statuses: Table[str, Status]
    severity: Translation
    priority: Translation | None
    team: Named | None
    category: Named | None

    @cached_property
    def used_columns(self) -> tuple[str, ...]:
        """Return all columns that are read, the identity first."""
        named = [part.column for part in (self.severity, self.priority, self.team, self.category) if part]
        texts = PLACEHOLDER.findall(self.title + self.description)
        names = [self.columns["id"], *self.columns.values(), self.status_column, *named, *texts, *self.details]
        return tuple(dict.fromkeys(name for name in names if name))


def load(name: str) -> Mapping:
    """Return the mapping in a file, or the shipped one of that name. Raises MappingError."""
    candidates = [Path(name), SHIPPED / name, SHIPPED / f"{name}.toml"]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise MappingError(f"There is no mapping {name}: give a path, or one of those shipped ({shipped}).")
    try:
        return parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"The mapping {name} cannot be read: {error}.") from error


def parse(text: str) -> Mapping:
    """Return the mapping of a TOML text. Raises MappingError with the key and what was expected."""
    try:
        root = _Reader("", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"The mapping is not valid TOML: {error}.") from error
    root.refuse_unknown(SCALARS | TABLES)
    status, text_part = root.table("status"), root.table("text")
    status.refuse_unknown({"column", "values"})
    text_part.refuse_unknown({"title", "description"})
    return Mapping(
        origin_system=_origin_system(root),
        encoding=_encoding(root),
        delimiter=_delimiter(root),
        missing=frozenset(root.texts("missing", [])) | {""},
        time_zone=_time_zone(root),
        time_formats=tuple(root.texts("time_formats", ["iso"])),
        columns=_columns(root.table("columns")),
        details=tuple(root.texts("details", [])),
        title=text_part.text("title"),
        description=text_part.text("description", ""),
        status_column=status.text("column"),
        statuses=status.words("values", STATUS_OF_WORD),
        severity=_translation(root, "severity", SEVERITY_OF_WORD, Severity.MEDIUM)
        or Translation("", {}, Severity.MEDIUM),
        priority=_translation(root, "priority", PRIORITY_OF_WORD, Priority.P3),
        team=_named(root, "team"),
        category=_named(root, "category"),
    )


class _Reader:
    """Typed access to one table of the file; complains with the full key."""

    def __init__(self, prefix: str, values: dict[str, Any]) -> None:
        self.prefix = prefix
        self.values = values

    def fail(self, key: str, expected: str) -> MappingError:
        return MappingError(f"The mapping's {self.prefix}{key} must be {expected}.")

    def refuse_unknown(self, known: "frozenset[str] | set[str]") -> None:
        unknown = sorted(set(self.values) - known)
        if unknown:
            raise MappingError(
                f"The mapping has an unknown key {self.prefix}{unknown[0]}; known are {', '.join(sorted(known))}."
            )

    def text(self, key: str, default: str | None = None) -> str:
        value = self.values.get(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.fail(key, "a text")
        return value

    def texts(self, key: str, default: list[str]) -> list[str]:
        value = self.values.get(key, default)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, "a list of texts")
        return value

    def flag(self, key: str) -> bool:
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.fail(key, "true or false")
        return value

    def table(self, key: str) -> "_Reader":
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise self.fail(key, f"a table [{self.prefix}{key}]")
        return _Reader(f"{self.prefix}{key}.", value)

    def words(self, key: str, known: "dict[str, Any]") -> dict[str, Any]:
        table = self.table(key)
        for word, value in table.values.items():
            if not isinstance(value, str) or value not in known:
                raise table.fail(word, f"one of {', '.join(known)}")
        return {word: known[value] for word, value in table.values.items()}


def _origin_system(root: _Reader) -> str:
    name = root.text("origin_system")
    if len(name) > 64:
        raise root.fail("origin_system", "at most 64 characters long")
    return name


def _encoding(root: _Reader) -> str:
    name = root.text("encoding", "utf-8")
    try:
        newline_is_plain = codecs.lookup(name) is not None and "\n".encode(name) == b"\n"
    except (LookupError, TypeError, AttributeError) as error:
        raise root.fail("encoding", "a text encoding that Python knows, such as utf-8 or cp1252") from error
    if not newline_is_plain:
        raise root.fail("encoding", "one that extends ASCII, such as utf-8 or cp1252; convert the file first")
    return name


def _delimiter(root: _Reader) -> str:
    delimiter = root.text("delimiter", ",")
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise root.fail("delimiter", "one character")
    return delimiter


def _time_zone(root: _Reader) -> ZoneInfo:
    name = root.text("time_zone", "UTC")
    if name not in available_timezones():
        raise root.fail("time_zone", "the name of a time zone, such as UTC or Europe/Zurich")
    return ZoneInfo(name)


def _columns(table: _Reader) -> dict[str, str]:
    table.refuse_unknown({*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS})
    required = {key: table.text(key) for key in REQUIRED_COLUMNS}
    return required | {key: table.text(key, "") for key in OPTIONAL_COLUMNS}


def _translation(root: _Reader, key: str, known: dict[str, Any], fallback: int) -> Translation | None:
    if key not in root.values:
        return None
    table = root.table(key)
    table.refuse_unknown({"column", "values", "default"})
    default = table.text("default", "")
    if default and default not in known:
        raise table.fail("default", f"one of {', '.join(known)}")
    return Translation(table.text("column"), table.words("values", known), known[default] if default else fallback)


def _named(root: _Reader, key: str) -> Named | None:
    if key not in root.values:
        return None
    table = root.table(key)
    table.refuse_unknown({"column", "create"})
    return Named(table.text("column"), table.flag("create"))

"""Models' tables as files of tab-separated rows, in the columns the models have: what is added to a model is either
given its default or refused here, never silently left out."""

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

from django.db import models

NULL = "\\N"  # as MySQL's LOAD DATA reads and writes it

_PLAIN: dict[type, Callable[[Any], str]] = {
    type(None): lambda value: NULL,
    bool: lambda value: "1" if value else "0",
    int: str,
    dt.datetime: lambda value: value.replace(tzinfo=None).isoformat(" "),
    uuid.UUID: str,
    dict: lambda value: text(json.dumps(value)),
    list: lambda value: text(json.dumps(value)),
}


class Table:
    """A model's table: its name, its columns without generated ones, and its rows as lines of text."""

    def __init__(self, model: type[models.Model]) -> None:
        fields = [field for field in model._meta.concrete_fields if not field.generated]
        self.name = model._meta.db_table
        self.columns = [field.column for field in fields]
        self.attributes = [field.attname for field in fields]
        self.uuid_columns = {field.column for field in fields if isinstance(field, models.UUIDField)}
        self.defaults = {field.attname: field.get_default() for field in fields}

    def line(self, values: dict[str, Any]) -> str:
        """A row of these attributes, defaults for the others."""
        return line({**self.defaults, **values}, len(self.attributes))

    def line_of(self, instance: models.Model) -> str:
        """An unsaved instance as a row."""
        held = instance.__dict__
        return line({name: held[name] for name in self.attributes}, len(self.attributes))


def line(values: dict[str, Any], count: int) -> str:
    """One line; `count` is how many values it must have."""
    if len(values) != count:
        raise ValueError(f"{len(values)} values for {count} columns: {sorted(values)}")
    return "\t".join([_PLAIN.get(type(value), text)(value) for value in values.values()]) + "\n"


def text(value: Any) -> str:
    """A text in which nothing is taken for a separator."""
    plain = str(value)
    if "\\" in plain:
        plain = plain.replace("\\", "\\\\")
    return plain.replace("\t", "\\t").replace("\n", "\\n") if "\n" in plain or "\t" in plain else plain


def value_of(field: str) -> str | None:
    """What a field of a line stands for."""
    if field == NULL:
        return None
    if "\\" not in field:
        return field
    parts = field.split("\\\\")
    return "\\".join(part.replace("\\t", "\t").replace("\\n", "\n") for part in parts)

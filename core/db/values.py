"""Convert field values for drivers faster than Django."""

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connections, models

# types passed as they are, by field
_AS_THEY_ARE: dict[type[Any], type[Any]] = {
    models.AutoField: int,
    models.BigAutoField: int,
    models.BigIntegerField: int,
    models.BooleanField: bool,
    models.CharField: str,
    models.ForeignKey: int,
    models.IntegerField: int,
    models.PositiveIntegerField: int,
    models.PositiveSmallIntegerField: int,
    models.SlugField: str,
    models.SmallIntegerField: int,
    models.TextField: str,
}


@cache
def to_db_value(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    """Return the field's converter. It raises what Django raises."""
    if type(field) in _AS_THEY_ARE:
        return _as_it_is(field, _AS_THEY_ARE[type(field)])
    if type(field) is models.DateTimeField:
        return _moment(field)
    if type(field) is models.JSONField and field.encoder is None:
        return _json(field)
    return _slowly(field)


def _as_it_is(field: "models.Field[Any, Any]", kind: type[Any]) -> Callable[[Any], Any]:
    slowly = _slowly(field)

    def quickly(value: Any) -> Any:
        if value is None or type(value) is kind:
            return value
        if kind is str and isinstance(value, str):  # a choice
            return value
        return int(value) if kind is int and isinstance(value, int) else slowly(value)

    return quickly


def _moment(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    slowly = _slowly(field)

    def quickly(value: Any) -> Any:
        is_utc = type(value) is dt.datetime and value.tzinfo is dt.UTC
        return str(value.replace(tzinfo=None)) if is_utc else slowly(value)

    return quickly


def _json(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    """Dump with orjson; numbers beyond 64 bits as Django does, NaN as null."""
    slowly = _slowly(field)

    def quickly(value: Any) -> Any:
        if type(value) is not dict and type(value) is not list:
            return slowly(value)
        try:
            return orjson.dumps(value, option=STRICT).decode()
        except TypeError:
            return slowly(value)

    return quickly


STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def _slowly(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    return lambda value: field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])

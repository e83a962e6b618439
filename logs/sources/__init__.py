"""Stores that rules read lines from."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from logs.sources.outside import stores

INTERNAL = "internal"


class SeenLine(NamedTuple):
    """A line as rules see it; `attributes` only if asked for."""

    timestamp: dt.datetime
    level: int
    service: str
    host: str
    message: str
    trace_id: str
    attributes: Mapping[str, Any]


def kinds() -> list[tuple[str, Any]]:
    """Return kinds of stores and their titles: ours, then those elsewhere."""
    return [(INTERNAL, _("Lines stored here")), *((store.kind, store.title) for store in stores())]

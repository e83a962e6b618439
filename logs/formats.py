"""Readers of log formats; each vendor's package registers its own."""

from collections.abc import Callable
from typing import Protocol

from intake.requests import IntakeRequest
from logs.lines import Parsed


class Format(Protocol):
    """What a reader of log lines offers."""

    FORMAT: str
    TITLE: str
    parse: Callable[[IntakeRequest], Parsed]


_formats: dict[str, Format] = {}


def register_format(module: Format) -> None:
    _formats[module.FORMAT] = module


def formats() -> dict[str, Format]:
    """Return every reader by its format."""
    return _formats

"""Python's logging.HTTPHandler: a LogRecord's dictionary, each value as `str()`.

Source: https://docs.python.org/3/library/logging.handlers.html#httphandler
"""

import ast
import re
from typing import Any
from urllib.parse import parse_qsl

from intake.requests import IntakeError
from logs.levels import level_of, python_level
from logs.lines import Line, Parsed
from logs.reading.times import moment
from logs.vocabulary import Level

MAX_FIELDS = 200
MAX_ARGS = 64 * 1024
# a width would create a message of a gigabyte
_SPECIFIER = re.compile(r"%(?:\([^)]*\))?[#0\- +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?")
_WIDEST = 1000
_OURS = frozenset({"msg", "args", "created", "levelname", "levelno", "name", "exc_text", "message"})


def parse(body: bytes) -> Parsed:
    """Return the form's line. Raises IntakeError without a message."""
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise IntakeError(f"The form cannot be read: {error}.") from error
    fields = dict(pairs)
    message = fields.get("msg") or fields.get("message")
    if not message:
        raise IntakeError("The form has no field msg; is this Python's logging.HTTPHandler?")
    said, left = formatted(message, fields.get("args", ""))
    attributes: dict[str, Any] = {name: value for name, value in fields.items() if _is_extra(name, value)}
    if left:
        attributes["args"] = left
    trouble = fields.get("exc_text", "None")
    said = said if trouble in ("None", "") else f"{said}\n{trouble}"
    line = Line(said, moment(fields.get("created")), _level(fields), fields.get("name", ""), attributes=attributes)
    return Parsed([line])


def formatted(message: str, args: str) -> tuple[str, str]:
    """Return the message with its literal arguments filled in, and ""; both as they came where that fails."""
    if not args or args in ("()", "None"):
        return message, ""
    if len(args) > MAX_ARGS or any(map(_is_wide, _SPECIFIER.finditer(message))):
        return message, args
    try:
        values = ast.literal_eval(args)
        return (message % values if values else message), ""
    except (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError, OverflowError):
        return message, args


def _is_wide(match: re.Match[str]) -> bool:
    sizes = [size for size in (match["width"], match["precision"]) if size]
    return any(size == "*" or len(size) > 4 or int(size) > _WIDEST for size in sizes)


def _is_extra(name: str, value: str) -> bool:
    return name not in _OURS and value not in ("", "None")


def _level(fields: dict[str, str]) -> Level:
    number = fields.get("levelno", "")
    if level := level_of(fields.get("levelname")):
        return level
    return python_level(int(number)) if number.isascii() and number.isdigit() and len(number) < 5 else Level.INFO

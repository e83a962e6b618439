"""Our own JSON: an object, an array, or NDJSON; and Python's logging.HTTPHandler."""

import codecs
from typing import Any

import orjson

from core.text.encodings import unmarked
from intake.requests import IntakeError, IntakeRequest, read_json
from logs.lines import Line, Parsed
from logs.reading import python as _python
from logs.reading.records import level_in, line_of
from logs.vocabulary import Level

FORMAT = "own"
TITLE = "JSON"
FORM = "application/x-www-form-urlencoded"


def parse(request: IntakeRequest) -> Parsed:
    """Return a line for each object or string."""
    body = unmarked(request.body).strip()
    if request.media_type == FORM and body[:1] not in (b"{", b"["):  # curl calls anything a form
        return _python.parse(body)
    if not body:
        raise IntakeError("The body is empty; post a JSON object, an array of them, or one on each line.")
    try:
        value = read_json(body)
    except IntakeError as error:
        if b"\n" not in body or error.status == 413:
            raise
        return each_line(body)
    records = value if isinstance(value, list) else [value]
    parsed = Parsed()
    for number, record in enumerate(records, 1):
        _add(parsed, record, f"Item {number}")
    return parsed


def each_line(body: bytes) -> Parsed:
    """Read NDJSON, skipping bad lines."""
    parsed = Parsed()
    for number, piece in enumerate(body.splitlines(), 1):
        if not piece.strip():
            continue
        try:
            record = orjson.loads(piece.strip().removeprefix(codecs.BOM_UTF8))
        except orjson.JSONDecodeError as error:
            parsed.reject(f"Line {number} is not valid JSON: {error}.")
        else:
            _add(parsed, record, f"Line {number}")
    return parsed


def _add(parsed: Parsed, record: Any, place: str) -> None:
    if isinstance(record, str) and record.strip():
        parsed.lines.append(Line(record, level=level_in(record) or Level.INFO))
        return
    line = line_of(record) if isinstance(record, dict) else None
    if line is None:
        parsed.reject(f"{place} is not an object, or is empty.")
    else:
        parsed.lines.append(line)

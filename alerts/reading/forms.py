"""Forms and queries."""

import re
from urllib.parse import parse_qsl

from core.text.encodings import BYTE_ORDER_MARK
from intake.requests import IntakeError, IntakeRequest

MAX_FIELDS = 200
_HEAD_BYTES = 2_000  # of a part's headers
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,200})', re.IGNORECASE)
_FIELD = re.compile(r'content-disposition:[^\r\n]*[;\s]name="?([^";\r\n]*)', re.IGNORECASE)


def form(request: IntakeRequest) -> dict[str, str]:
    """Return the fields of a form; of several with one name the first. Raises IntakeError past MAX_FIELDS."""
    if request.media_type == "multipart/form-data":
        return _multipart(request)
    return pairs(request.body)


def pairs(encoded: bytes | str) -> dict[str, str]:
    """Return the fields of an urlencoded form or a query."""
    data = encoded if isinstance(encoded, bytes) else encoded.encode("utf-8", "replace")
    data = data.removeprefix(BYTE_ORDER_MARK.encode())
    try:
        found = parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise IntakeError(f"The form has more than {MAX_FIELDS} fields.") from error
    return {name: value.removeprefix(BYTE_ORDER_MARK) for name, value in reversed(found)}


def _multipart(request: IntakeRequest) -> dict[str, str]:
    boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
    if boundary is None:
        raise IntakeError("The form is multipart, but its Content-Type names no boundary.")
    parts = (b"\r\n" + request.body).split(b"\r\n--" + boundary[1].encode("utf-8", "replace"), MAX_FIELDS + 2)
    if len(parts) > MAX_FIELDS + 2:
        raise IntakeError(f"The form has more than {MAX_FIELDS} fields.")
    found: dict[str, str] = {}
    for part in parts[1:]:
        head, gap, value = part.partition(b"\r\n\r\n")
        name = _FIELD.search(head[:_HEAD_BYTES].decode("utf-8", "replace"))
        if gap and name:
            found.setdefault(name[1], value.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK))
    return found

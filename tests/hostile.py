"""What people send who mean no good, or whose program has a mistake."""

from typing import Any

# In the place of any field. Each is valid JSON.
VALUES: list[Any] = [
    None,
    True,
    0,
    1e300,
    2**63,
    2**64 - 1,
    "",
    "\x00",
    "9" * 5_000,
    "9" * 30,
    "\u202e\ufeff\U0001f4a9",
    "'; DROP TABLE incidents_incident; --",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    [],
    ["\x00"],
    [2**63],
    ["9" * 30],
    list(range(1_000)),
    {"id": 1},
    {"$ne": None},
]
NESTED: Any = "deep"
for _level in range(400):
    NESTED = [NESTED]
VALUES.append(NESTED)

# In the place of a whole JSON body, as it goes over the wire.
BODIES: list[bytes] = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b'{"title": NaN}',
    b'{"title": "\\ud800"}',
    b'{"title": "\xed\xa0\x80"}',
    b'{"title": "\xff"}',
    b'{"title": 1e999}',
    b'{"title": "x", "title": "\\u0000"}',
    b'{"\\u0000": 1}',
    b"[" * 100_000,
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b"\xef\xbb\xbf{}",
]

# In the place of a query parameter.
TEXTS: list[str] = [
    "",
    " ",
    "\x00",
    "none",
    "me",
    "-1",
    "1.5",
    "\u0661",
    "9" * 18,
    "9" * 30,
    "9" * 5_000,
    "\ufffd\U0001f4a9",
    "a,b",
    ",",
    "'\"`;--",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-02-30T00:00:00Z",
    "2026-01-01T00:00:00 01:00",
    "INC-999999999999999999",
    '+-*<>()~"@',
]

"""Escape text that spreadsheets would run as formulas."""

import re
from collections.abc import Callable
from typing import Any

# Starts of formulas in Excel, LibreOffice and Google Sheets (OWASP, "CSV Injection"), in all widths,
# and what may precede them.
FORMULA = re.compile(
    r"[\s\x00-\x1f'\"\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]"
)
RISKY = re.compile(r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]|\A'*[\t\r\n]")
# In many locales a semicolon separates cells, even in quotes.
SEPARATOR = re.compile(r"([;\t\r\n])")
LEAD = re.compile(r"'*[\t ]*")
CONTROL_STARTS = ("\t", "\r", "\n")
# impossible in XML, so in XLSX
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REPLACEMENT = "\ufffd"


def cell(value: Any) -> Any:
    """Return a value fit for a file."""
    return escape_formula(UNWRITABLE.sub(REPLACEMENT, value)) if isinstance(value, str) else value


def escape_formula(value: Any) -> Any:
    """Put an apostrophe before possible formulas, wherever a cell may begin."""
    return _mapped(value, lambda piece, runs: f"'{piece}" if runs(piece) else piece)


def unescape_formula(value: Any) -> Any:
    return _mapped(value, lambda piece, runs: piece[1:] if piece.startswith("'") and runs(piece[1:]) else piece)


def _mapped(value: Any, change: Callable[[str, Callable[[str], bool]], str]) -> Any:
    """Change a text's cells; apostrophes move no border, so escaping is reversible."""
    if not isinstance(value, str) or not RISKY.search(value):
        return value
    lead = LEAD.match(value)
    start = lead.end() if lead else 0
    head, *rest = SEPARATOR.split(value[start:])
    is_control = value.lstrip("'").startswith(CONTROL_STARTS)
    first = change(value[:start] + head, lambda piece: is_control or _is_formula(piece))
    return first + "".join(change(piece, _is_formula) for piece in rest)


def _is_formula(text: str) -> bool:
    return FORMULA.match(text) is not None

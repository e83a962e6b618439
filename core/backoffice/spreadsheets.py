"""Text on its way into spreadsheets, which run whatever looks like a formula."""

import re
from collections.abc import Callable
from typing import Any

# What Excel, LibreOffice and Google Sheets take for the start of a formula (OWASP, "CSV Injection"), full width and
# small forms too; and what may stand before it and is passed over.
FORMULA = re.compile(
    r"[\s\x00-\x1f'\"\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]"
)
RISKY = re.compile(
    r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b]|\A'*[\t\r\n]"
)  # to look no further at most
# Where one cell of ours is taken for several: a semicolon separates cells in half of the world, whatever is quoted.
SEPARATOR = re.compile(r"([;\t\r\n])")
LEAD = re.compile(r"'*[\t ]*")
CONTROL_STARTS = ("\t", "\r", "\n")
# What XML, and so XLSX, cannot hold.
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REPLACEMENT = "\ufffd"


def cell(value: Any) -> Any:
    """A value as it may stand in a file: characters that no file can hold replaced, formulas escape_formula."""
    return escape_formula(UNWRITABLE.sub(REPLACEMENT, value)) if isinstance(value, str) else value


def escape_formula(value: Any) -> Any:
    """A cell that is shown rather than run: what looks like a formula gets an apostrophe in front, at the start and
    wherever another cell may be taken to begin."""
    return _mapped(value, lambda piece, runs: f"'{piece}" if runs(piece) else piece)


def unescape_formula(value: Any) -> Any:
    """The text that `escape_formula` was given."""
    return _mapped(value, lambda piece, runs: piece[1:] if piece.startswith("'") and runs(piece[1:]) else piece)


def _mapped(value: Any, change: Callable[[str, Callable[[str], bool]], str]) -> Any:
    """Text whose pieces were changed. An apostrophe in front moves no border and makes nothing run, or run no more:
    that is why `unescape_formula` undoes exactly what `escape_formula` did."""
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

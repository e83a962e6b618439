"""Text on its way into spreadsheets, which run whatever looks like a formula."""

from typing import Any

# What Excel, LibreOffice and Google Sheets take for the start of a formula (OWASP, "CSV Injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
CONTROL_STARTS = ("\t", "\r", "\n")


def defused(value: Any) -> Any:
    """A cell that is shown rather than run: text that looks like a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and _is_formula(value) else value


def restored(value: Any) -> Any:
    """The text that `defused` was given."""
    return value[1:] if isinstance(value, str) and value.startswith("'") and _is_formula(value[1:]) else value


def _is_formula(text: str) -> bool:
    return text.startswith(CONTROL_STARTS) or text.lstrip().startswith(FORMULA_STARTS)

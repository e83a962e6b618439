"""Remove leaked texts from rows."""

from collections.abc import Sequence
from typing import Any

from core.db import rows
from core.text.removing import Clean, cleaned


def clean_rows(found: Sequence[Any], names: Sequence[str], clean: Clean) -> None:
    """Clean these columns of rows of one model, and write the rows that change."""
    changed = []
    for row in found:
        before = [getattr(row, name) for name in names]
        after = [cleaned(value, clean) for value in before]
        if before != after:
            for name, value in zip(names, after, strict=True):
                setattr(row, name, value)
            changed.append(row)
    rows.update_many(changed, names)

"""Remove leaked texts from copies. Pure."""

import re
from collections.abc import Callable, Collection
from typing import Any

DISTINCT = 8  # characters: a shorter text is removed only where it stands as words of its own

Clean = Callable[[str], str]


def remover_of(texts: Collection[str], instead: str) -> Clean:
    """Return a function that puts `instead` in the place of each of the texts."""
    # longest first: a short one may be part of another
    patterns = [_pattern(text) for text in sorted({text for text in texts if text}, key=len, reverse=True)]

    def clean(text: str) -> str:
        for pattern in patterns:
            text = pattern.sub(lambda _match: instead, text)
        return text

    return clean


def cleaned(value: Any, clean: Clean) -> Any:
    """Return a text, or all texts of a list or an object, cleaned; other values as they are."""
    if isinstance(value, dict):
        return {name: cleaned(one, clean) for name, one in value.items()}
    if isinstance(value, list):
        return [cleaned(one, clean) for one in value]
    return clean(value) if isinstance(value, str) else value


def _pattern(text: str) -> re.Pattern[str]:
    whole = re.escape(text)
    return re.compile(whole if len(text) >= DISTINCT else rf"(?<!\w){whole}(?!\w)")

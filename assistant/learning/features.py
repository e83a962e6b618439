"""Turn what is known of an incident at its opening into features: words, and fields with their value."""

from collections.abc import Iterable, Mapping
from itertools import islice

from incidents.search.tokens import split_words

MAX_TEXT = 4_000  # characters of title and description together
MAX_WORDS = 60  # distinct ones; the first tell most
MIN_WORD = 2  # characters, of words of ASCII letters
MAX_VALUE = 100  # characters


def features_of(title: str, description: str, fields: Mapping[str, str | Iterable[str]]) -> list[str]:
    """Return the features, each once: `word`, `title word` and `field=value`; empty values say nothing."""
    titled = dict.fromkeys(f"title {word}" for word in _words(title))
    words = dict.fromkeys(_words(f"{title}\n{description}"))
    given = [
        f"{field}={value[:MAX_VALUE].casefold()}"
        for field, told in fields.items()
        for value in ([told] if isinstance(told, str) else told)
        if value
    ]
    return [*dict.fromkeys(given), *islice(titled, MAX_WORDS), *islice(words, MAX_WORDS)]


def _words(text: str) -> Iterable[str]:
    return (word for word in split_words(text[:MAX_TEXT]) if _tells(word))


def _tells(word: str) -> bool:
    return not word.isnumeric() and (len(word) >= MIN_WORD or not word.isascii())

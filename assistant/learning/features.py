"""Turn what is known of an incident at its opening into features: words, and fields with their value."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from incidents.search.tokens import split_words

MAX_TEXT = 4_000  # characters of title and description together
MAX_WORDS = 60  # distinct ones; the first tell most
MIN_WORD = 2  # characters, of words of ASCII letters
MAX_VALUE = 100  # characters


def features_of(title: str, description: str, fields: Mapping[str, str | Collection[str]]) -> list[str]:
    """Return the features, each once: `word`, `title word`, `field=value`, and `no field` for an empty one."""
    titled = dict.fromkeys(f"title {word}" for word in _words(title))
    words = dict.fromkeys(_words(f"{title}\n{description}"))
    given = dict.fromkeys(feature for field, told in fields.items() for feature in _of_field(field, told))
    return [*given, *islice(titled, MAX_WORDS), *islice(words, MAX_WORDS)]


def _of_field(field: str, told: str | Collection[str]) -> list[str]:
    values = [value for value in ([told] if isinstance(told, str) else told) if value]
    return [f"{field}={value[:MAX_VALUE].casefold()}" for value in values] or [f"no {field}"]


def _words(text: str) -> Iterable[str]:
    return (word for word in split_words(text[:MAX_TEXT]) if _tells(word))


def _tells(word: str) -> bool:
    return not word.isnumeric() and (len(word) >= MIN_WORD or not word.isascii())

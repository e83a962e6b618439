"""The kinds of events that timelines hold; each app registers its own."""

from typing import Any

from django.db.models import TextChoices

_labels: dict[str, Any] = {}


def register_kinds(kinds: type[TextChoices]) -> None:
    """Add an app's kinds of events, each a word of the API and a label."""
    _labels.update(kinds.choices)


def all_kinds() -> list[tuple[str, Any]]:
    """Return every registered kind: word and label."""
    return list(_labels.items())


def label_of(word: str) -> str:
    """Return what people read for a kind; a word that nobody registers any more is shown as it is."""
    return str(_labels.get(word) or word.replace("_", " ").capitalize())

"""The kinds of timeline events, registered by each app."""

from typing import Any

from django.db.models import TextChoices

_labels: dict[str, Any] = {}


def register_kinds(kinds: type[TextChoices]) -> None:
    _labels.update(kinds.choices)


def all_kinds() -> list[tuple[str, Any]]:
    """Return every kind: word and label."""
    return list(_labels.items())


def label_of(word: str) -> str:
    """Return the label of a kind; an unknown word is shown as it is."""
    return str(_labels.get(word) or word.replace("_", " ").capitalize())

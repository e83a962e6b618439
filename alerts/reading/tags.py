"""Tags as labels."""

import re
from itertools import islice
from typing import Any

from alerts.matching import SEVERAL
from alerts.reading.values import MOST_LABELS, first, mapping, text


def labels_of(tags: Any) -> dict[str, str]:
    """Return labels of an object, a list ("env:prod", "env=prod", "db", pairs, objects), or words between commas.

    A repeated name keeps all its values. Past MOST_LABELS the rest is dropped.
    """
    if isinstance(tags, dict):
        pairs = [(text(name), one) for name, value in islice(tags.items(), MOST_LABELS) for one in _values(value)]
    else:
        said = tags if isinstance(tags, list) else text(tags).split(",", MOST_LABELS)
        pairs = [_pair(tag) for tag in said[:MOST_LABELS]]
    found: dict[str, dict[str, None]] = {}
    for name, value in pairs:
        if name:
            found.setdefault(name, {})[value or "true"] = None
    return {name: SEVERAL.join(values) for name, values in found.items()}


def label_texts(value: Any) -> dict[str, str]:
    """Return an object as labels, without empty values."""
    found = (
        (text(name), SEVERAL.join(dict.fromkeys(_values(part))))
        for name, part in islice(mapping(value).items(), MOST_LABELS)
    )
    return {name: said for name, said in found if name and said}


def _values(value: Any) -> list[str]:
    if isinstance(value, list) and value and not any(isinstance(one, (dict, list)) for one in value):
        return [said for said in map(text, value[:MOST_LABELS]) if said]
    return [text(value)]


def _pair(tag: Any) -> tuple[str, str]:
    if isinstance(tag, dict):
        return first(tag.get("key"), tag.get("tag"), tag.get("name")), text(tag.get("value"))
    if isinstance(tag, list):
        return (text(tag[0]), text(tag[1])) if len(tag) == 2 else ("", "")
    name, *value = re.split(r"[:=]", text(tag), maxsplit=1)
    return name.strip(), value[0].strip() if value else ""

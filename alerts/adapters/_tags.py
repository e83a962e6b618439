"""Tags, in the shapes that tools give them, as labels."""

import re
from typing import Any

from alerts.adapters._reading import first, text


def labels_of(tags: Any) -> dict[str, str]:
    """Labels from a list of "env:prod", "env=prod" or "db" (which is db = true), of pairs, or of objects of key (or
    tag, or name) and value; from an object; or from a text of such words between commas.
    """
    if isinstance(tags, dict):
        pairs = [(text(name), text(value)) for name, value in tags.items()]
    else:
        pairs = [_pair(tag) for tag in (tags if isinstance(tags, list) else text(tags).split(","))]
    return {name: value or "true" for name, value in pairs if name}


def _pair(tag: Any) -> tuple[str, str]:
    if isinstance(tag, dict):
        return first(tag.get("key"), tag.get("tag"), tag.get("name")), text(tag.get("value"))
    if isinstance(tag, list):
        return (text(tag[0]), text(tag[1])) if len(tag) == 2 else ("", "")
    name, *value = re.split(r"[:=]", text(tag), maxsplit=1)
    return name.strip(), value[0].strip() if value else ""

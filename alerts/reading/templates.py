"""Templates: text with {{ path.to.value }} filled from a body.

Parts of a path are keys, which may hold dots, or list indexes. Filters: `lower`, `default:'x'`. Nothing is called.
"""

import re
from collections.abc import Mapping
from typing import Any

from alerts.reading.values import text

LONGEST_TEMPLATE = 2_000
LONGEST_TEXT = 50_000
FIELDS = (
    *("title", "message", "type", "severity", "key", "status", "url", "starts_at", "ends_at", "note", "user"),
    "labels",
)

_FILTER = re.compile(r"""lower|default\s*:\s*('[^']*'|"[^"]*")""", re.ASCII)


def render(template: str, body: Any) -> str:
    """Fill a template; a missing value gives "". Cut at LONGEST_TEXT."""
    found = ""
    for part, is_path in _parts(template):
        found += _value(part[2:-2], body) if is_path else part
        if len(found) > LONGEST_TEXT:
            break
    return found[:LONGEST_TEXT]


def problems(templates: Any) -> list[str]:
    """Return what is wrong with templates, a sentence each."""
    if not isinstance(templates, Mapping):
        return ["Send an object that maps fields to templates."]
    found = [f"Unknown field {name}." for name in templates if name not in FIELDS]
    labels = templates.get("labels", {})
    if not isinstance(labels, Mapping):
        found.append("The labels must be an object that maps names to templates.")
        labels = {}
    texts = {name: said for name, said in templates.items() if name != "labels"}
    texts |= {f"labels.{name}": said for name, said in labels.items()}
    return found + [f"{name}: {wrong}" for name, said in texts.items() if (wrong := _problem(said))]


def _problem(template: Any) -> str:
    if not isinstance(template, str):
        return "a template must be text."
    if len(template) > LONGEST_TEMPLATE:
        return f"it is longer than {LONGEST_TEMPLATE} characters."
    for part, is_path in _parts(template):
        if not is_path and ("{{" in part or "}}" in part):
            return "{{ and }} do not match."
        if is_path and (wrong := _problem_of_path(part[2:-2])):
            return wrong
    return ""


def _problem_of_path(inside: str) -> str:
    path, filters = _path_and_filters(inside)
    if not path:
        return "there is nothing between {{ and }}."
    wrong = next((one for one in filters if not _FILTER.fullmatch(one)), None)
    return "" if wrong is None else f"there is no filter {wrong!r}; there are lower and default:'…'."


def _parts(template: str) -> list[tuple[str, bool]]:
    found, at = [], 0
    while (start := template.find("{{", at)) >= 0 and (end := template.find("}}", start)) >= 0:
        found += [(template[at:start], False), (template[start : end + 2], True)]
        at = end + 2
    return [*found, (template[at:], False)]


def _path_and_filters(inside: str) -> tuple[str, list[str]]:
    path, *filters = re.findall(r"""(?:'[^']*'|"[^"]*"|[^|])+""", inside) or [""]
    return path.strip(), [one.strip() for one in filters]


def _value(inside: str, body: Any) -> str:
    path, filters = _path_and_filters(inside)
    value = text(found_at(body, path.split(".")))
    for one in filters:
        if one == "lower":
            value = value.lower()
        elif not value and (match := _FILTER.fullmatch(one)):
            value = match[1][1:-1]
    return value


def found_at(value: Any, parts: list[str]) -> Any:
    """Return what lies at a path, or None; the longest key wins."""
    while parts:
        if isinstance(value, list):
            value, parts = _item(value, parts[0]), parts[1:]
        elif isinstance(value, dict):
            length = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in value), 0)
            if not length:
                return None
            value, parts = value[".".join(parts[:length])], parts[length:]
        else:
            return None
    return value


def _item(items: list[Any], index: str) -> Any:
    if not re.fullmatch(r"-?[0-9]{1,6}", index, re.ASCII) or not -len(items) <= int(index) < len(items):
        return None
    return items[int(index)]

"""Shapes of what a runbook says, as OpenAPI 3.0 describes them. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

Shape = Mapping[str, Any]

ANYTHING: Shape = {}
FLAG: Shape = {"type": "boolean"}


def text(most: int, *, least: int = 1) -> Shape:
    return {"type": "string", "minLength": least, "maxLength": most}


def matching(pattern: re.Pattern[str]) -> Shape:
    """Return the shape of texts that match as a whole."""
    return {"type": "string", "pattern": f"^({pattern.pattern})$"}


def word(*words: str) -> Shape:
    return {"type": "string", "enum": list(map(str, words))}


def whole(least: int, most: int) -> Shape:
    return {"type": "integer", "minimum": least, "maximum": most}


def listed(items: Shape, most: int | None = None, *, least: int = 1) -> Shape:
    return {"type": "array", "items": items, "minItems": least, **({} if most is None else {"maxItems": most})}


def record(fields: Mapping[str, Shape], required: Sequence[str] = ()) -> Shape:
    """Return the shape of objects with no other fields."""
    named = {"required": list(map(str, required))} if required else {}
    properties = {str(name): shape for name, shape in fields.items()}
    return {"type": "object", "properties": properties, **named, "additionalProperties": False}


def table(values: Shape, most: int | None = None, *, least: int = 0) -> Shape:
    """Return the shape of objects whose fields are named by whoever writes them."""
    limit = {} if most is None else {"maxProperties": most}
    return {"type": "object", "additionalProperties": values, "minProperties": least, **limit}


def or_null(shape: Shape) -> Shape:
    return {**shape, "nullable": True}


def faults_of_names(step: Mapping[str, Any], fields: Mapping[str, Shape]) -> dict[str, str]:
    """Return the fault of each field that a step of this kind does not have."""
    unknown = sorted(map(str, step.keys() - {"kind", *fields}))
    return dict.fromkeys(unknown, _("A step of this kind has no such field."))

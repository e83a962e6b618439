"""What an endpoint serves: methods at paths, declared once for routing, the OpenAPI document and 405."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PARAMETER = re.compile(r"{(\w+)(:path)?}")


@dataclass(frozen=True)
class KeyScheme:
    """How a key is sent, as a security scheme of OpenAPI."""

    name: str
    definition: Mapping[str, str]


BEARER = KeyScheme("sourceKey", {"type": "http", "scheme": "bearer", "description": "A source's key."})


@dataclass(frozen=True)
class Operation:
    """One method at a path template: `{name}` stands for one part of the path, `{name:path}` for one or more."""

    method: str
    path: str
    summary: str
    status: int  # of a success
    example: Any = None
    media_type: str = "application/json"

    @property
    def openapi_path(self) -> str:
        return _PARAMETER.sub(r"{\1}", self.path)

    @property
    def parameters(self) -> list[str]:
        return [match[1] for match in _PARAMETER.finditer(self.path)]


def path_regex(template: str) -> str:
    """Return the regular expression for a path after its first slash, with or without its last one."""
    literals, regex = _PARAMETER.split(template.strip("/"))[::3], ""
    for literal, match in zip(literals, [*_PARAMETER.finditer(template), None], strict=True):
        regex += re.escape(literal)
        if match is not None:
            regex += f"(?P<{match[1]}>{'.+?' if match[2] else '[^/]+'})"
    return f"{regex}/?"

"""Every page there is: taken from the addresses themselves, so that none is forgotten."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

NAMESPACE = "console"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
Sample = Callable[[], dict[str, Any]]

# What stands in an address, by the route's name; see `samples`.
SAMPLES: dict[str, Sample] = {}
# Routes that show no page, and why. Those that only take POST need no line: they answer 405.
EXEMPT: dict[str, str] = {}


@dataclass(frozen=True)
class Route:
    """An address of the pages."""

    name: str
    parameters: tuple[str, ...]

    def address(self) -> str:
        """Return the address with a sample in the place of each parameter."""
        return reverse(self.name, kwargs=SAMPLES[self.name]() if self.parameters else None)


def routes() -> list[Route]:
    """Return those that are not exempt."""
    return [route for route in every_route() if route.name not in EXEMPT]


def every_route() -> list[Route]:
    """Return all routes of the namespace."""
    [resolver] = [found for found in get_resolver().url_patterns if getattr(found, "namespace", None) == NAMESPACE]
    return list(dict.fromkeys(_routes(resolver, ())))


def _routes(resolver: URLResolver, above: tuple[str, ...]) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        parameters = (*above, *PARAMETER.findall(str(entry.pattern)))
        if isinstance(entry, URLPattern):
            yield Route(f"{NAMESPACE}:{entry.name}", parameters)
        else:
            yield from _routes(entry, parameters)

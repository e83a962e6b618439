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
SAMPLES: dict[str, Sample] = {
    **dict.fromkeys(
        (
            *(
                "console:incident",
                "console:incident-live",
                "console:incident-surroundings",
                "console:incident-followers",
            ),
            *("console:incident-link", "console:incident-merge", "console:incident-page", "console:incident-delete"),
        ),
        lambda: {"reference": "INC-1"},
    ),
    "console:incident-move": lambda: {"reference": "INC-1", "name": "reopen"},
    "console:incident-change": lambda: {"reference": "INC-1", "group": "details"},
    "console:incident-redact": lambda: {"reference": "INC-1", "number": 1},
}
# Routes that show no page, and why. Those that only take POST need no line: they answer 405.
EXEMPT: dict[str, str] = {
    **dict.fromkeys(
        (
            *(
                "console:incident-update",
                "console:incident-take",
                "console:incident-release",
                "console:incident-follow",
            ),
            *("console:incident-unfollow", "console:incident-files", "console:incident-follower-remove"),
            "console:incident-unlink",
        ),
        "takes POST only",
    ),
    "console:incident-file": "sends a file",
    "console:incident-file-remove": "asks to confirm, as incident-delete does",
}


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

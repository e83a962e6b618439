"""Endpoints served past Django's middleware and views; each app registers how to find its own."""

from collections.abc import Callable

from core.server.bodies import ASGIApplication

Finder = Callable[[str, str], ASGIApplication | None]  # by method and path

_finders: list[Finder] = []


def register_finder(finder: Finder) -> None:
    """Have the gateway ask here before it turns to Django."""
    _finders.append(finder)


def find_endpoint(method: str, path: str) -> ASGIApplication | None:
    """Return what serves a request past Django; None where Django does."""
    return next((found for finder in _finders if (found := finder(method, path)) is not None), None)

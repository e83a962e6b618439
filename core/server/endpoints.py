"""Endpoints served past Django; apps register finders."""

from collections.abc import Callable

from core.server.bodies import ASGIApplication, Scope

Finder = Callable[[str, str], ASGIApplication | None]  # (method, path)

Stopper = Callable[[], object]

Relocator = Callable[[Scope], Scope]

_finders: list[Finder] = []
_relocators: list[Relocator] = []
_stoppers: list[Stopper] = []


def register_finder(finder: Finder) -> None:
    """Ask this finder before Django."""
    _finders.append(finder)


def find_endpoint(method: str, path: str) -> ASGIApplication | None:
    """Return the application for a request, if past Django."""
    return next((found for finder in _finders if (found := finder(method, path)) is not None), None)


def register_relocator(relocator: Relocator) -> None:
    """Let this change where requests to another host lead."""
    _relocators.append(relocator)


def relocated(scope: Scope) -> Scope:
    """Return the scope with the path at which this server has what is asked."""
    for relocator in _relocators:
        scope = relocator(scope)
    return scope


def register_stopper(stopper: Stopper) -> None:
    """Call this on the event loop when the server begins to stop: to end what would not end by itself."""
    _stoppers.append(stopper)


def stop_endpoints() -> None:
    for stopper in _stoppers:
        stopper()

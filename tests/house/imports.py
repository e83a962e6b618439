"""Who imports whom: what others take from `users` that is not about people, and circles of files.

Every import statement counts, wherever it stands; `from a.b import c` leads to a.b.c if there is such a module.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.house.sources import Source

# All that others may import of users; what is not named here is infrastructure, whatever it is called.
PEOPLE = {
    *("models", "vocabulary", "services", "audit", "permissions", "authentication", "backends", "serializers"),
    *("addresses", "passwords", "tokens", "lockout", "claiming", "leaving", "mails", "pages", "views", "urls", "jobs"),
    "apps",
    *("totp", "sealing", "throttling", "oidc.protocol", "oidc.providers"),
    *("admin.people", "admin.access", "admin.audit_log"),
}


@dataclass(frozen=True)
class Import:
    """One name of an import statement; "" is the module itself."""

    importer: str
    line: int
    module: str
    name: str


def imports(source: Source, known: Mapping[str, Source]) -> Iterator[Import]:
    """Yield what the module imports of ours."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            wanted = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            wanted = [(node.module or "", alias.name) for alias in node.names]
        else:
            continue
        for module, name in wanted:
            if f"{module}.{name}" in known:
                yield Import(source.name, node.lineno, f"{module}.{name}", "")
            elif module in known:
                yield Import(source.name, node.lineno, module, name)


def infrastructure(known: Mapping[str, Source]) -> list[str]:
    """Return the statements outside users that import of it what is not about people.

    A name that users itself imports from elsewhere is followed to where it is made: an `__init__` hides nothing.
    """
    found = {
        (source.path, item.line): f"{module}.{name}".strip(".")
        for source in known.values()
        if not _is_in(source.name, "users")
        for item in imports(source, known)
        if _is_in(item.module, "users")
        for module, name in [_origin(item, known)]
        if not any(_is_in(module, f"users.{people}") for people in PEOPLE)
    }
    return [f"{path}:{line}: {what}" for (path, line), what in sorted(found.items())]


def circles(known: Mapping[str, Source]) -> list[list[str]]:
    """Return the sets of modules that import one another, the largest first."""
    graph = {name: {item.module for item in imports(source, known)} - {name} for name, source in known.items()}
    reached = {name: _reached(name, graph) for name in graph}
    rings = {frozenset({other for other in reached[name] if name in reached[other]}) for name in graph}
    return sorted((sorted(ring) for ring in rings if ring), key=lambda ring: (-len(ring), ring))


def _origin(item: Import, known: Mapping[str, Source]) -> tuple[str, str]:
    seen: set[tuple[str, str]] = set()
    module, name = item.module, item.name
    while name and (module, name) not in seen:
        seen.add((module, name))
        source_of = _bound(known[module])
        if name not in source_of:
            break
        origin, original = source_of[name]
        if f"{origin}.{original}" in known:
            return f"{origin}.{original}", ""
        if origin not in known:
            break  # a library's
        module, name = origin, original
    return module, name


def _bound(source: Source) -> dict[str, tuple[str, str]]:
    return {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in source.tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _reached(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for module in graph[waiting.pop()] - seen:
            seen.add(module)
            waiting.append(module)
    return seen


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")

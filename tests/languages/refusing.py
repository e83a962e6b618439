"""Refusals that pages show: a DomainError's message must be marked for translation."""

import ast
from collections.abc import Iterator, Mapping

from tests.house.sources import Source

# Programs and operators read these, in English.
FOR_PROGRAMS = (
    "core/api/idempotency.py",  # headers of the API
    "core/server/",  # before a request has a language
    "console/live/",  # streams that a script reads
    "incidents/imports/",  # a command
    "logs/tailing/",  # a command
    "users/services/sessions.py",  # tokens of the API
)


def is_for_programs(path: str) -> bool:
    """Return whether only the API or a command says what a module refuses."""
    parts = path.removesuffix(".py").split("/")
    is_api = "views" in parts and parts[0] != "console"
    return is_api or path.startswith(FOR_PROGRAMS)


def refusals(sources: Mapping[str, Source]) -> set[str]:
    """Return the names of DomainError and of what is derived from it."""
    derived = [
        (node.name, {base.id for base in node.bases if isinstance(base, ast.Name)})
        for one in sources.values()
        for node in ast.walk(one.tree)
        if isinstance(node, ast.ClassDef)
    ]
    found = {"DomainError"}
    while more := {name for name, bases in derived if bases & found} - found:
        found |= more
    return found


def unmarked(tree: ast.AST, names: set[str]) -> Iterator[tuple[int, str]]:
    """Yield line and text of each refusal whose message is written but not marked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names and node.args:
            yield from ((node.lineno, ast.unparse(text)) for text in _written(node.args[0]))


def _written(message: ast.expr) -> Iterator[ast.expr]:
    if isinstance(message, ast.IfExp):
        yield from _written(message.body)
        yield from _written(message.orelse)
    elif isinstance(message, ast.BinOp):
        yield from _written(message.left)
    elif isinstance(message, ast.JoinedStr):
        words = "".join(str(part.value) for part in message.values if isinstance(part, ast.Constant))
        yield from [message] if any(letter.isalpha() for letter in words) else []
    elif isinstance(message, ast.Constant) and isinstance(message.value, str):
        yield message

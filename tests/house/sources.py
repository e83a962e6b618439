"""What is measured: the project's own Python files, without tests, migrations and generated code."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APART = {"tests", "benchmarks", "e2e"}  # packages at the root that are not the product
SKIPPED = {"tests", "migrations"}  # folders


@dataclass(frozen=True)
class Source:
    """One module: its dotted name (a package's for an `__init__`), its path and its text."""

    name: str
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def packages() -> list[str]:
    """Return the names of the packages at the root that are part of the product."""
    return sorted({init.parent.name for init in ROOT.glob("*/__init__.py")} - APART)


@cache
def sources() -> dict[str, Source]:
    """Return every module by its name, with `manage`."""
    paths = [ROOT / "manage.py", *(path for name in packages() for path in sorted((ROOT / name).rglob("*.py")))]
    read = (_source(path.relative_to(ROOT)) for path in paths if _is_measured(path.relative_to(ROOT)))
    return {source.name: source for source in read}


def functions(tree: ast.AST, outer: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield each function with its qualified name, methods and nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{outer}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, outer)


def _is_measured(path: Path) -> bool:
    is_test = path.name == "tests.py" or path.name.startswith("test_")
    return not SKIPPED & set(path.parts) and not is_test and not path.stem.endswith("_pb2")


def _source(path: Path) -> Source:
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    return Source(name, str(path), (ROOT / path).read_text(encoding="utf-8"))

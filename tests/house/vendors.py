"""Whether all of a vendor lies in `integrations/<vendor>/`: its payload, endpoint, examples, guide and tests.

Elsewhere no file may bear its name, and no code may say it in an identifier, an import or a string: whoever adds a
vendor touches one folder. Docstrings, comments and the pages of docs/ may speak of it; so may what REGISTRIES lists.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.house.sources import ROOT, packages, sources

FOLDER = "integrations"
WHOLE = ("*payload.py", "guide.md", "examples", "tests")
SEARCHED = ("store.py", "guide.md", "tests")  # by rules: it sends nothing

# Vendors, with other words that are theirs alone. Those that have a folder are found there.
KNOWN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(["alertmanager", "datadog", "gcp", "generic", "github", "grafana", "loki", "newrelic"], ()),
    **dict.fromkeys(["opsgenie", "pagerduty", "pingdom", "prometheus", "sentry", "sns", "uptime_kuma"], ()),
    **{"elastic": ("elasticsearch", "opensearch"), "cloudwatch": ()},
    **{"graylog": ("gelf",), "opentelemetry": ("otlp",), "splunk": ("hec",), "zabbix": ()},
}
ONLY_IN_PATHS = {"generic"}  # a plain English word elsewhere
# The second and third read what settings are made of; the fifth speaks as earlier systems did; redacting knows secrets
# by whoever issues them; tours walk through one; the last holds those to whom we send, a folder each.
REGISTRIES = (
    *("incident_response/settings.py", "incident_response/variables.py", "incident_response/store_variables.py"),
    "incident_response/demo/",
    "incident_response/legacy/",
    *("assistant/redacting/", "docs/tours/", "tests/tours/"),
    "notifications/channels/",
)


def vendors() -> dict[str, tuple[str, ...]]:
    """Return each vendor with its other words."""
    folders = {init.parent.name for init in (ROOT / FOLDER).glob("*/__init__.py")} - {"tests"}
    return {**KNOWN, **{name: KNOWN.get(name, ()) for name in sorted(folders)}}


def report() -> dict[str, list[str]]:
    """Return, for each vendor, what is missing in its folder and what lies or is said elsewhere."""
    known = vendors()
    found = {vendor: _missing(vendor) for vendor in known}
    for where, text, is_path in _elsewhere():
        said = words(text)
        for vendor, others in known.items():
            if (is_path or vendor not in ONLY_IN_PATHS) and said & {
                word.replace("_", "") for word in (vendor, *others)
            }:
                found[vendor].append(where)
    return found


def words(text: str) -> set[str]:
    """Return the words of a text or an identifier in lower case, each also joined to the one or two that follow it."""
    parts = [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", text)]
    return {"".join(parts[start : start + length]) for start in range(len(parts)) for length in (1, 2, 3)}


def said_in(tree: ast.AST, roots: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield each identifier, string and import from `roots` with its line; docstrings are left out."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in roots:
            yield node.lineno, f"{node.module} {' '.join(alias.name for alias in node.names)}"
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] in roots)


def _missing(vendor: str) -> list[str]:
    folder = ROOT / FOLDER / vendor
    parts = SEARCHED if any(folder.glob("store.py")) and not any(folder.glob("*payload.py")) else WHOLE
    return [f"{FOLDER}/{vendor}/{part} is missing" for part in parts if not any(folder.glob(part))]


def _elsewhere() -> Iterator[tuple[str, str, bool]]:
    """Yield (where, text, whether the text is a path)."""
    rooms = [name for name in packages() if name != FOLDER]
    for room in (*rooms, "docs", "templates", "static", "tests"):
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and not _is_registry(path.relative_to(ROOT)):
                yield str(path.relative_to(ROOT)), str(path.relative_to(ROOT).with_suffix("")), True
    for source in sources().values():
        if source.name.split(".")[0] != FOLDER and not _is_registry(Path(source.path)):
            for line, text in said_in(source.tree, packages()):
                yield f"{source.path}:{line}: {' '.join(text.split())[:80]}", text, False


def _is_registry(path: Path) -> bool:
    return str(path).startswith(REGISTRIES)

"""What a report names and this system has no field for: kept as a block at the end of its description. Pure.

There, people see and find it, and can edit or redact it as the rest of the report.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HEADING = "Labels of the report:"


@dataclass(frozen=True)
class Labels:
    """Affected systems that are no services, tags, and the query that found it."""

    systems: Sequence[str] = ()
    tags: Sequence[str] = ()
    query: str = ""

    def lines(self) -> list[str]:
        named = (("affected system", self.systems), ("tag", self.tags), ("source query", filter(None, [self.query])))
        return [f"- {name}: {value}" for name, values in named for value in values]


def with_labels(description: str, labels: Labels) -> str:
    """Return the description with its block, if there is anything to keep."""
    lines = labels.lines()
    return "\n".join([*([description, ""] if description else []), HEADING, *lines]) if lines else description


def split_labels(description: str) -> tuple[str, Labels]:
    """Return what was reported, and the labels; where the block was edited, what is left of it."""
    text, heading, block = description.replace("\r\n", "\n").rpartition(HEADING)
    lines = block.strip().split("\n")
    if not heading or (text and not text.endswith("\n")) or not all(line.startswith("- ") for line in lines):
        return description, Labels()
    pairs = [line.removeprefix("- ").partition(": ") for line in lines]
    query = next(iter(_values(pairs, "source query")), "")
    return text.rstrip("\n"), Labels(_values(pairs, "affected system"), _values(pairs, "tag"), query)


def _values(pairs: Iterable[tuple[str, str, str]], wanted: str) -> list[str]:
    return [value for name, _colon, value in pairs if name == wanted]

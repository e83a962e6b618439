"""How long a regular expression may take, told before it is used. Pure.

Python's engine tries every way in which a pattern can match, and cannot be interrupted. The ways are counted on the
pattern as the engine itself has parsed it: each repetition that has a choice multiplies them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

LENGTH = 1000  # characters of a value that patterns look at
MOST_WAYS = 10_000
MOST_STEPS = 4 * LENGTH**3
_NARROW = 50  # A repetition with no more choices than this is counted as so many ways, any other by the value's length.

_parse: Any = import_module("re._parser").parse
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}


@dataclass(frozen=True)
class Choices:
    """The ways in which a part can match: `ways` times the value's length to the power of `wide`."""

    ways: float = 1
    wide: int = 0

    def then(self, other: "Choices") -> "Choices":
        """Those of this part followed by another."""
        return Choices(self.ways * other.ways, self.wide + other.wide)

    @property
    def is_endless(self) -> bool:
        """Whether trying all of them takes longer than anybody waits."""
        return self.ways > MOST_WAYS or self.ways * float(LENGTH) ** self.wide > MOST_STEPS


def may_take_for_ever(pattern: str, *, is_searched: bool = False) -> bool:
    """Whether a value of LENGTH characters could keep the pattern busy for more than about a second. One that
    `is_searched` for is tried from each place, all of which a repetition at its start goes along with.

    Raises re.error and RecursionError as compiling it does.
    """
    items = list(_parse(pattern))
    if items and _is_anything(items[-1]):
        items.pop()  # whatever is left over matches at once
    choices = _of_sequence(items)
    return (choices.then(Choices(wide=1)) if is_searched and _begins_anywhere(items) else choices).is_endless


def _begins_anywhere(items: Sequence[Any]) -> bool:
    if not items:
        return False
    name, argument = str(items[0][0]), items[0][1]
    if name == "SUBPATTERN":
        return _begins_anywhere(argument[-1])
    if name == "BRANCH":
        return any(_begins_anywhere(branch) for branch in argument[1])
    return name in _REPEATS


def _of_sequence(items: Sequence[Any]) -> Choices:
    choices = Choices()
    for item in items:
        choices = choices.then(_of_item(str(item[0]), item[1]))
    return choices


def _of_item(name: str, argument: Any) -> Choices:
    if name in _REPEATS:
        return _of_repeat(*argument)
    if name == "SUBPATTERN":
        return _of_sequence(argument[-1])
    if name == "BRANCH":
        return _of_branches(argument[1])
    if name == "ATOMIC_GROUP":
        return _of_sequence(argument)
    if name in ("ASSERT", "ASSERT_NOT"):
        return _of_sequence(argument[1])
    if name == "GROUPREF_EXISTS":
        return _of_branches([branch for branch in argument[1:] if branch is not None])
    return Choices()


def _of_repeat(least: int, most: int, body: Sequence[Any]) -> Choices:
    inner = _of_sequence(body)
    if most <= 1:
        return Choices(inner.ways + (most - least), inner.wide)
    if inner.wide:
        return Choices(math.inf)
    if inner.ways > 1:
        return Choices(math.inf if most > _NARROW else inner.ways**most * (most - least + 1))
    spread = most - least + 1
    return Choices(wide=1) if spread > _NARROW else Choices(spread)


def _of_branches(branches: Sequence[Sequence[Any]]) -> Choices:
    """Of alternatives that begin with different letters one at most can match."""
    each = [_of_sequence(branch) for branch in branches]
    starts = [branch[0][1] if branch and str(branch[0][0]) == "LITERAL" else None for branch in branches]
    is_clear = None not in starts and len(set(starts)) == len(starts)
    ways = [choices.ways for choices in each]
    return Choices(max(ways) if is_clear else sum(ways), max(choices.wide for choices in each))


def _is_anything(item: Any) -> bool:
    name, argument = str(item[0]), item[1]
    return name == "MAX_REPEAT" and argument[0] == 0 and [str(inner[0]) for inner in argument[2]] == ["ANY"]

"""The mark of a test that holds a line of docs/reported-failures.md: what users of other systems reported."""

from collections.abc import Callable
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])


def reported_failure(*numbers: int) -> Callable[[Test], Test]:
    """Mark a test with the numbers of the reported failures that it rules out."""

    def mark(test: Test) -> Test:
        test.reported_failures = numbers  # type: ignore[attr-defined]
        return test

    return mark

"""Canaries: tests of what others keep private and we lean on all the same. One that fails says who has to look."""

import inspect
from collections.abc import Callable
from typing import Any

from django.test import SimpleTestCase


class CanaryCase(SimpleTestCase):
    """Assertions about somebody else's code; `use` says what of ours depends on it."""

    def assert_takes(self, function: Callable[..., Any], *names: str, use: str) -> None:
        """Fail where a function's parameters, `self` aside, are others than these."""
        found = tuple(name for name in inspect.signature(function).parameters if name != "self")

        self.assertEqual(found, names, f"{function.__qualname__} takes other parameters now; {use} depends on them.")

    def assert_has(self, owner: object, *names: str, use: str) -> None:
        """Fail where an object or a class lacks one of these names."""
        gone = [name for name in names if not hasattr(owner, name)]

        self.assertEqual(gone, [], f"{owner!r} has lost what {use} depends on.")

"""Keep figures for seconds, so that many readers cost as much as one."""

from collections.abc import Callable, Hashable
from threading import Condition
from typing import Any

from cachetools import TTLCache, cached

SECONDS = 15
MOST = 1_000

_kept: TTLCache[Hashable, Any] = TTLCache(MOST, SECONDS)


@cached(_kept, key=lambda key, _compute: key, condition=Condition())
def remembered(key: Hashable, compute: Callable[[], Any]) -> Any:
    """Return what was computed for the key within 15 seconds; others who ask meanwhile wait for it."""
    return compute()


def forget() -> None:
    """Compute everything anew."""
    _kept.clear()

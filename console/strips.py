"""Bars along a time, as drawn. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 960
HEIGHT = 64
LEAST = 2


@dataclass(frozen=True)
class Strip:
    """Bars of what there was when: `much` and, at their foot, `bad` are heights."""

    bars: list[dict[str, Any]]
    most: int
    since: dt.datetime
    until: dt.datetime
    is_exact: bool = True


def strip_of(rows: Sequence[tuple[dt.datetime, dt.datetime, int, int]], *, is_exact: bool = True) -> Strip:
    """Return the strip of (since, until, count, bad) rows in order."""
    most = max((count for _since, _until, count, _bad in rows), default=0)
    step = WIDTH / max(len(rows), 1)
    bars = [
        {
            "since": since,
            "until": until,
            "count": count,
            "bad": bad,
            "x": round(number * step, 2),
            "width": round(step - 1, 2),
            "top": HEIGHT - _height(count, most),
            "much": _height(count, most),
            "bad_top": HEIGHT - _height(bad, most),
            "bad_height": _height(bad, most),
        }
        for number, (since, until, count, bad) in enumerate(rows)
    ]
    return Strip(bars, most, rows[0][0], rows[-1][1], is_exact)


def _height(count: int, most: int) -> float:
    return 0 if not count else round(max(LEAST, HEIGHT * count / most), 2)

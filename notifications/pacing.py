"""How fast messages follow each other: retries, bundles, providers' limits."""

import re
from dataclasses import dataclass

FIRST_RETRY, LONGEST_RETRY = 5.0, 300.0  # seconds
MOST_RETRY_AFTER = 12 * 3600.0  # whatever a provider asks
JITTER = 0.3

GAPS = {"page": (3.0, 10.0, 20.0, 40.0, 60.0), "update": (60.0, 120.0, 300.0)}  # seconds after each message to a person
ROOM_BURST = 10  # messages to a room before they are bundled
ROOM_CALM_SECONDS = 600.0  # until the burst is granted again

UNITS = {"s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
LIMIT = re.compile(r"(?P<channel>[a-z_]+)=(?P<count>\d+)/(?P<unit>[a-z]+)")


@dataclass(frozen=True)
class Limit:
    """At most `count` messages in `seconds`."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


def parse_limits(words: list[str]) -> dict[str, Limit]:
    """Return the limits of channels, from sms=60/min. Raises ValueError."""
    limits = {}
    for word in words:
        match = LIMIT.fullmatch(word.strip())
        if match is None or match["unit"] not in UNITS or not int(match["count"]):
            raise ValueError("limits such as sms=60/min,voice=10/min (per s, min or h)")
        limits[match["channel"]] = Limit(int(match["count"]), UNITS[match["unit"]])
    return limits


def retry_seconds(attempt: int, chance: float, retry_after: float | None = None) -> float:
    """Return the wait after a failed attempt, from 1; `chance` in 0–1 spreads them. A provider's wish comes first."""
    if retry_after is not None:
        return min(max(retry_after, 1.0), MOST_RETRY_AFTER)
    base = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(attempt - 1, 10))
    return float(base * (1 - JITTER + 2 * JITTER * chance))


def gap_seconds(kind: str, level: int, *, is_room: bool = False) -> float:
    """Return how long after the latest of `level` messages the next one may follow."""
    if is_room:
        return 0.0 if level < ROOM_BURST else GAPS["update"][0]
    gaps = GAPS.get(kind)
    return gaps[min(level, len(gaps)) - 1] if gaps and level else 0.0


def remembered(kind: str, level: int, elapsed: float, *, is_room: bool = False) -> int:
    """Return how many messages still count; a person's lapse one by one, a room's together."""
    gaps = GAPS.get(kind)
    if is_room or gaps is None:
        return 0 if elapsed > ROOM_CALM_SECONDS else level
    return max(0, min(level, len(gaps)) - int(elapsed // gaps[-1]))


def refilled(allowance: float, elapsed: float, limit: Limit) -> float:
    """Return an allowance after some seconds; a sixth of a period is saved, at least one message."""
    most = max(1.0, limit.count / 6)
    return min(most, allowance + max(0.0, elapsed) * limit.rate)


def lower(one: Limit | None, per_minute: int | None) -> Limit | None:
    own = Limit(per_minute, 60.0) if per_minute else None
    found = [limit for limit in (one, own) if limit is not None]
    return min(found, key=lambda limit: limit.rate) if found else None


def words_of(limit: Limit) -> str:
    period = {1.0: "a second", 60.0: "a minute", 3600.0: "an hour"}[limit.seconds]
    return f"{limit.count:,} {period}"

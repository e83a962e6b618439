"""Schedules that hypothesis makes up, and the comparison with the oracle."""

import datetime as dt
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from responders.lineups import layer_spec
from responders.oncall import OverrideSpec, ScheduleSpec, VersionSpec, segments
from responders.tests.oracle import people_by_minute

# Each with a time in which something odd happens: a rule changes, a day is lost, midnight is skipped.
ZONES = {
    "Europe/Berlin": dt.datetime.fromisoformat("2027-01-01"),
    "America/New_York": dt.datetime.fromisoformat("2027-06-01"),
    "Australia/Lord_Howe": dt.datetime.fromisoformat("2026-01-01"),
    "Pacific/Apia": dt.datetime.fromisoformat("2011-01-01"),
    "Europe/Istanbul": dt.datetime.fromisoformat("2015-09-01"),
    "Africa/Casablanca": dt.datetime.fromisoformat("2026-01-01"),
    "America/Caracas": dt.datetime.fromisoformat("2015-09-01"),
    "Africa/Cairo": dt.datetime.fromisoformat("2023-01-01"),
    "America/Santiago": dt.datetime.fromisoformat("2026-01-01"),
    "Pacific/Chatham": dt.datetime.fromisoformat("2026-01-01"),
    "Antarctica/Troll": dt.datetime.fromisoformat("2026-01-01"),
    "Asia/Kathmandu": dt.datetime.fromisoformat("2027-01-01"),
}
PEOPLE = list(range(1, 8))
EVERY = {"hours": (1, 2, 5, 6, 8, 12, 24, 36), "days": (1, 2, 3, 5, 7, 10), "weeks": (1, 2, 3), "months": (1, 2, 3)}


def clocks(*, midnight: bool = False) -> st.SearchStrategy[str]:
    odd = ["00:00", "01:30", "02:00", "02:15", "02:30", "03:00", "09:00", "17:00", "22:00", "23:59"]
    any_time = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
    return st.one_of(st.sampled_from([*odd, *(["24:00"] if midnight else [])]), any_time)


restrictions = st.lists(
    st.builds(
        lambda days, starts, ends: {"weekdays": sorted(days), "from": starts, "to": ends},
        st.sets(st.integers(0, 6), min_size=1),
        clocks(),
        clocks(midnight=True),
    ),
    max_size=2,
)
turns = st.lists(st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True), min_size=1, max_size=5)


@st.composite
def layers(draw: Any, number: int, first: dt.datetime) -> dict[str, Any]:
    """A layer as it is stored, begun at most 100 days earlier."""
    unit = draw(st.sampled_from(sorted(EVERY)))
    users = draw(turns)
    start = first + dt.timedelta(minutes=draw(st.integers(-100 * 1440, 100 * 1440)))
    return {
        "name": f"Layer {number}",
        "users": users,
        "rotation": {"unit": unit, "every": draw(st.sampled_from(EVERY[unit]))},
        "starts_at": start.isoformat(),
        "hand_over": {
            "time": draw(clocks()),
            "weekday": draw(st.integers(0, 6)) if unit == "weeks" else None,
        },
        "advance": draw(st.sampled_from(["calendar", "active"])),
        "restrictions": draw(restrictions),
        "first_turn": draw(st.integers(0, len(users) - 1)),
    }


@st.composite
def line_ups(draw: Any, first: dt.datetime, days: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Layers and overrides."""
    found = [draw(layers(number, first)) for number in range(draw(st.integers(1, 3)))]
    overrides = []
    for _ in range(draw(st.integers(0, 3))):
        begins = draw(st.integers(0, days * 1440 - 2))
        overrides.append(
            {
                "from": begins,
                "to": begins + draw(st.integers(1, 5 * 1440)),
                "layer": draw(st.sampled_from(["", *(one["name"] for one in found)])),
                "add": draw(st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True)),
                "remove": [],
                "everybody": draw(st.booleans()),
            }
        )
        if not overrides[-1]["everybody"]:
            overrides[-1]["remove"] = [user for user in PEOPLE if user not in overrides[-1]["add"]][:4]
    return found, overrides


def ours(
    zone: str, found: list[dict[str, Any]], overrides: list[dict[str, Any]], first: dt.datetime, days: int
) -> list[tuple[int, frozenset[int]]]:
    """Runs of minutes (how many, who), as `responders.oncall` has them; it must tile the time in whole minutes."""
    start = first.replace(tzinfo=dt.UTC)
    spec = ScheduleSpec(
        (VersionSpec(start - dt.timedelta(days=300), tuple(layer_spec(one, zone, {}) for one in found)),),
        tuple(
            OverrideSpec(
                number,
                start + dt.timedelta(minutes=one["from"]),
                start + dt.timedelta(minutes=one["to"]),
                one["layer"],
                tuple(one["add"]),
                tuple(one["remove"]),
                one["everybody"],
            )
            for number, one in enumerate(overrides)
        ),
    )
    runs = []
    moment = start
    for segment in segments(spec, start, start + dt.timedelta(days=days)):
        assert segment.since == moment < segment.until, (segment, moment)
        moment = segment.until
        minutes, rest = divmod(segment.until - segment.since, dt.timedelta(minutes=1))
        assert not rest, segment
        runs.append((minutes, frozenset(segment.people)))
    return [(sum(minutes for minutes, _ in run), who) for who, run in groupby(runs, key=lambda one: one[1])]


def difference(
    zone: str, found: list[dict[str, Any]], overrides: list[dict[str, Any]], first: dt.datetime, days: int
) -> tuple[Any, ...] | None:
    """The first run in which both differ, with its minute; None if they agree."""
    theirs, mine = people_by_minute(zone, found, overrides, first, days), ours(zone, found, overrides, first, days)
    if theirs == mine:
        return None
    number = next((n for n, pair in enumerate(zip(theirs, mine, strict=False)) if pair[0] != pair[1]), -1)
    minute = sum(minutes for minutes, _ in theirs[:number])
    return first + dt.timedelta(minutes=minute), theirs[number : number + 2], mine[number : number + 2]

"""Who is on call, of any number of schedules in two queries: one for what decides it, one for names."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, CharField, ExpressionWrapper, F, IntegerField, Q, TextField, Value
from django.db.models.functions import Cast

from core.db import rows
from core.db.prepared import Parameter, prepared
from core.text.sentences import Sentence
from responders import oncall
from responders.lineups import layer_spec
from responders.models import ImportedShift, ScheduleOverride, ScheduleVersion
from responders.oncall import FeedShift, FeedSpec, LayerSpec, OverrideSpec, ScheduleSpec, Segment, Shift, VersionSpec
from users.models import User

# How far the ends of a shift are looked for around an instant, and changes are compared ahead.
AROUND = dt.timedelta(days=35)
HORIZON = dt.timedelta(days=100)
MOMENT = ScheduleOverride._meta.get_field("starts_at")
VERSION, OVERRIDE, IMPORTED = range(3)

BY_OVERRIDE = Sentence("override", is_part=True)
LAYER = Sentence("layer %(layer)s", is_part=True)
UNTIL = Sentence("until %(day)s", is_part=True)


@dataclass(frozen=True)
class OnCallPerson:
    """Somebody on call; `starts_at` and `ends_at` of the shift are None if more than 35 days away."""

    user_id: int
    name: str
    layer: str
    override_id: int | None
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    schedule: str = ""
    time_zone: str = "UTC"

    @property
    def is_override(self) -> bool:
        return self.override_id is not None

    @property
    def why(self) -> str:
        """Return the reason in words, such as "Primary, layer Weekdays, until Mon 09:00"."""
        by = BY_OVERRIDE.say() if self.is_override else LAYER.say(layer=self.layer)
        ends = self.ends_at and self.ends_at.astimezone(ZoneInfo(self.time_zone))
        until = UNTIL.say(day=f"{ends:%a %H:%M}") if ends else ""
        return ", ".join(filter(None, (self.schedule, by, until)))


@dataclass(frozen=True)
class OnCall:
    """The people on call at `at`; `gap` says that there are none."""

    people: tuple[OnCallPerson, ...] = ()
    gap: bool = True
    at: dt.datetime | None = None
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """A schedule's spec, and how its reasons read."""

    spec: ScheduleSpec
    name: str = ""
    time_zone: str = "UTC"


def on_call(schedule_ids: Collection[int], at: dt.datetime) -> dict[int, OnCall]:
    """Return who is on call at an instant, of each schedule."""
    found = answers(load(schedule_ids, at - AROUND, at + AROUND), at, names_of, with_next=False)
    return {key: present for key, (present, _) in found.items()}


def on_call_and_next(schedule_ids: Collection[int], at: dt.datetime) -> dict[int, tuple[OnCall, OnCall]]:
    """Return who is on call at an instant and who follows."""
    return answers(load(schedule_ids, at - AROUND, at + AROUND), at, names_of)


def answers(
    loaded: Mapping[int, Loaded],
    at: dt.datetime,
    name: Callable[[Iterable[int]], dict[int, str]],
    *,
    with_next: bool = True,
) -> dict[int, tuple[OnCall, OnCall]]:
    """Return the same from what was loaded for the time around."""
    found = {key: _now_and_next(one.spec, at, with_next=with_next) for key, one in loaded.items()}
    names = name(user for pair in found.values() for one in pair if one for user in one.people)
    return {
        key: (_on_call(loaded[key], now, at, names), _on_call(loaded[key], after, after and after.since, names))
        for key, (now, after) in found.items()
    }


def shifts(schedule_ids: Collection[int], start: dt.datetime, end: dt.datetime) -> dict[int, list[Shift]]:
    """Return everybody's shifts within a time, of each schedule."""
    return {key: oncall.shifts(one.spec, start, end) for key, one in load(schedule_ids, start, end).items()}


def names_of(user_ids: Iterable[int]) -> dict[int, str]:
    return {number: user.name for number, user in rows.by_id(User, user_ids).items()}


def spec_of(schedule_id: int, start: dt.datetime, end: dt.datetime) -> ScheduleSpec:
    """Return what decides one schedule within a time."""
    return load([schedule_id], start, end)[schedule_id].spec


def load(schedule_ids: Collection[int], start: dt.datetime, end: dt.datetime) -> dict[int, Loaded]:
    """Return what decides who is on call, in one query."""
    found: dict[int, tuple[list[Any], list[Any], list[Any]]] = defaultdict(lambda: ([], [], []))
    ids = {f"id{number}": key for number, key in enumerate(sorted(set(schedule_ids)))}
    query = prepared(("on call", len(ids)), lambda: _rows([Parameter(name) for name in ids]))
    for row in query.rows(start=start, end=end, **ids) if ids else ():
        found[row[1]][row[0]].append(row)
    return {key: _loaded(*found[key], start, end) for key in schedule_ids}


def _now_and_next(spec: ScheduleSpec, at: dt.datetime, *, with_next: bool) -> tuple[Any, Any]:
    now = oncall.people_at(spec, at)
    after = oncall.next_people(spec, now) if with_next else None
    return _Extended(spec, now), _Extended(spec, after) if after else None


class _Extended:
    """A segment with the ends of its people's shifts."""

    def __init__(self, spec: ScheduleSpec, segment: Segment) -> None:
        self.people, self.since, self.unmatched = segment.people, segment.since, segment.unmatched
        self.ends = {user: oncall.shift_of(spec, user, segment) for user in segment.people}


def _on_call(loaded: Loaded, found: Any, at: dt.datetime | None, names: dict[int, str]) -> OnCall:
    if found is None:
        return OnCall()
    people = []
    for user, why in found.people.items():
        starts_at, ends_at = found.ends[user]
        person = OnCallPerson(
            user, names.get(user, ""), why.layer, why.override, starts_at, ends_at, loaded.name, loaded.time_zone
        )
        people.append(person)
    return OnCall(tuple(people), not people, at, found.unmatched)


def _rows(schedule_ids: Sequence[Any]) -> Any:
    """Read versions, overrides and imported shifts as rows of one shape."""
    start, end = Parameter("start", MOMENT), Parameter("end", MOMENT)
    # a foreign key takes no parameters in a list
    key = ExpressionWrapper(F("schedule_id"), output_field=BigIntegerField())
    ours = Q(key__in=schedule_ids, schedule__is_active=True)
    within = ours & Q(starts_at__lt=end, ends_at__gt=start)
    versions = ScheduleVersion.objects.annotate(key=key).filter(ours, effective_from__lt=end)
    versions = versions.exclude(superseded_at__lte=start)
    empty, none = Value("", output_field=TextField()), _text("")
    return _shaped(
        versions,
        kind=_integer(VERSION),
        starts=F("effective_from"),
        ends=F("superseded_at"),
        first=_raw("layers"),
        second=empty,
        word=F("time_zone"),
        name=F("schedule__name"),
        number=_integer(0),
    ).union(
        _shaped(
            ScheduleOverride.objects.annotate(key=key).filter(within),
            kind=_integer(OVERRIDE),
            starts=F("starts_at"),
            ends=F("ends_at"),
            first=_raw("add"),
            second=_raw("remove"),
            word=F("layer"),
            name=none,
            number=F("is_everybody"),
        ),
        _shaped(
            ImportedShift.objects.annotate(key=key).filter(within),
            kind=_integer(IMPORTED),
            starts=F("starts_at"),
            ends=F("ends_at"),
            first=_raw("users"),
            second=_raw("unmatched"),
            word=none,
            name=none,
            number=F("calendar_id"),
        ),
        all=True,
    )


def _shaped(queryset: Any, **shape: Any) -> Any:
    names = ("kind", "schedule_id", "pk", "starts", "ends", "first", "second", "word", "name", "number")
    return queryset.order_by().annotate(**shape).values_list(*names)


def _raw(name: str) -> Cast:
    """Read JSON as text: most of it is the same, and decoded once."""
    return Cast(name, TextField())


def _integer(value: int) -> Value:
    return Value(value, output_field=IntegerField())


def _text(value: str) -> Value:
    return Value(value, output_field=CharField())


def _loaded(
    versions: list[Any], overrides: list[Any], imported: list[Any], start: dt.datetime, end: dt.datetime
) -> Loaded:
    feeds: dict[int, list[FeedShift]] = defaultdict(list)
    for *_, starts, ends, users, unmatched, _word, _name, calendar in imported:
        feeds[calendar].append(FeedShift(starts, ends, _decoded(users), _decoded(unmatched)))
    versions.sort(key=lambda row: row[3])
    specs = [
        VersionSpec(starts, _layers(layers, zone, feeds))
        for *_, starts, _ends, layers, _empty, zone, _name, _number in versions
    ]
    made = [
        OverrideSpec(pk, starts, ends, layer, _decoded(add), _decoded(remove), bool(is_everybody))
        for _, _, pk, starts, ends, add, remove, layer, _name, is_everybody in overrides
    ]
    time_zone, name = versions[-1][7:9] if versions else ("UTC", "")
    return Loaded(ScheduleSpec(tuple(specs), tuple(sorted(made)), start, end), name, time_zone)


@lru_cache(maxsize=4096)
def _decoded(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _layers(text: str, zone: str, feeds: Mapping[int, list[FeedShift]]) -> tuple[LayerSpec | FeedSpec, ...]:
    if '"calendar"' in text:
        return tuple(layer_spec(one, zone, feeds) for one in json.loads(text))
    return _plain_layers(text, zone)


@lru_cache(maxsize=2048)
def _plain_layers(text: str, zone: str) -> tuple[LayerSpec | FeedSpec, ...]:
    return tuple(layer_spec(one, zone, {}) for one in json.loads(text))

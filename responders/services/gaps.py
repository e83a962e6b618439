"""Announce hours without anybody on call: 7 days, 24 hours and at the start ahead, once each, never the past."""

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from core.db.transactions import unit_of_work
from responders import oncall
from responders.models import GapNotice, GapStage, Membership, Schedule
from responders.notices import Notice, announce
from responders.oncall import Gap
from responders.services.oncall import load
from users.models import User

AHEAD = {GapStage.WEEK: dt.timedelta(days=7), GapStage.DAY: dt.timedelta(days=1), GapStage.START: dt.timedelta(0)}
# A worker that was down still tells of a gap that runs; older ones are past news.
LATE = dt.timedelta(hours=12)
SEEN = dt.timedelta(days=9)
KEPT = dt.timedelta(days=90)
BATCH = 200
MOST_LISTED = 10


def announce_gaps(now: dt.datetime) -> int:
    """Announce what is due of all schedules; return how many gaps."""
    keys = list(Schedule.objects.active().filter(announces_gaps=True).order_by("pk").values_list("pk", flat=True))
    total = 0
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        begins, ends = now - LATE, now + SEEN
        for key, loaded in load(some, begins, ends).items():
            found = oncall.gaps(loaded.spec, begins, ends)
            due = [gap for gap in found if gap.ends_at > now and begins < gap.starts_at <= now + AHEAD[GapStage.WEEK]]
            if due:
                total += _announce(key, due, now)
    GapNotice.objects.filter(gap_starts_at__lt=now - KEPT).delete()
    return total


def stage_of(gap: Gap, now: dt.datetime) -> GapStage:
    """Return the stage that a gap has reached."""
    left = gap.starts_at - now
    return next(stage for stage in (GapStage.START, GapStage.DAY, GapStage.WEEK) if left <= AHEAD[stage])


@unit_of_work
def _announce(schedule_id: int, gaps: Sequence[Gap], now: dt.datetime) -> int:
    schedule = Schedule.objects.select_for_update().get(pk=schedule_id)
    told = set(
        GapNotice.objects.filter(schedule=schedule, gap_starts_at__in=[gap.starts_at for gap in gaps]).values_list(
            "gap_starts_at", "stage"
        )
    )
    new = [gap for gap in gaps if (gap.starts_at, stage_of(gap, now)) not in told]
    if not new:
        return 0
    for gap in new:
        GapNotice.objects.create(
            schedule=schedule, gap_starts_at=gap.starts_at, stage=stage_of(gap, now), announced_at=now
        )
    _tell(schedule, new, now)
    return len(new)


def _tell(schedule: Schedule, gaps: Sequence[Gap], now: dt.datetime) -> None:
    members = Membership.objects.filter(team=schedule.team_id, user__is_active=True).values_list("user", flat=True)
    users = sorted({*members, *User.objects.admins().values_list("pk", flat=True)})
    zone = ZoneInfo(schedule.time_zone)
    for stage in GapStage:
        some = [gap for gap in gaps if stage_of(gap, now) == stage]
        if not some:
            continue
        lines = [_line(gap, zone, now + SEEN) for gap in some[:MOST_LISTED]]
        if len(some) > MOST_LISTED:
            lines.append(f"… and {len(some) - MOST_LISTED} more.")
        when = "now" if stage == GapStage.START else _when(some[0], zone, now + SEEN)
        announce(
            Notice(
                key=f"gap:{schedule.pk}:{some[0].starts_at.timestamp():.0f}:{stage}",
                kind="gap",
                title=f"Nobody is on call for {schedule.name} {when}",
                body="\n".join(lines),
                users=users,
                path=f"/on-call/{schedule.pk}/",
                is_urgent=stage == GapStage.START,
            )
        )


def _line(gap: Gap, zone: ZoneInfo, seen: dt.datetime) -> str:
    names = f" (the calendar names {', '.join(gap.unmatched)}, whom nobody is called)" if gap.unmatched else ""
    longer = " or longer" if gap.ends_at == seen else ""
    return f"{_period(gap, zone)}{longer}, {zone}{names}"


def _when(gap: Gap, zone: ZoneInfo, seen: dt.datetime) -> str:
    """Return the first gap's time; one without an end in sight has only a start."""
    return f"from {_local(gap.starts_at, zone)} on" if gap.ends_at == seen else f"from {_period(gap, zone)}"


def _period(gap: Gap, zone: ZoneInfo) -> str:
    return f"{_local(gap.starts_at, zone)} to {_local(gap.ends_at, zone)}"


def _local(moment: dt.datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M}"


def gap_seconds(now: dt.datetime) -> dict[str, float]:
    """Return the seconds without anybody in the next 7 days, by schedule."""
    names = dict(Schedule.objects.active().values_list("pk", "name"))
    end = now + AHEAD[GapStage.WEEK]
    return {
        names[key]: sum((gap.ends_at - gap.starts_at).total_seconds() for gap in oncall.gaps(one.spec, now, end))
        for key, one in load(list(names), now, end).items()
    }

"""Announce hours without anybody on call: 7 days, 24 hours and at the start ahead, once each, never the past."""

import datetime as dt
from collections.abc import Sequence
from functools import partial
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from core.db.transactions import unit_of_work
from core.text.languages import later
from core.text.moments import shown_in
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
        announce(
            Notice(
                key=f"gap:{schedule.pk}:{some[0].starts_at.timestamp():.0f}:{stage}",
                kind="gap",
                title=later(partial(_title, schedule.name, stage, some[0], zone, now + SEEN)),
                body=later(partial(_body, some, zone, now + SEEN)),
                users=users,
                path=f"/on-call/{schedule.pk}/",
                is_urgent=stage == GapStage.START,
            )
        )


def _title(schedule: str, stage: GapStage, gap: Gap, zone: ZoneInfo, seen: dt.datetime) -> str:
    """Say when the first gap is; one without an end in sight has only a start."""
    facts = {"schedule": schedule, **_times(gap, zone)}
    if stage == GapStage.START:
        return _("Nobody is on call for %(schedule)s now") % facts
    if gap.ends_at == seen:
        return _("Nobody is on call for %(schedule)s from %(start)s on") % facts
    return _("Nobody is on call for %(schedule)s from %(start)s to %(end)s") % facts


def _body(gaps: Sequence[Gap], zone: ZoneInfo, seen: dt.datetime) -> str:
    lines = [_line(gap, zone, seen) for gap in gaps[:MOST_LISTED]]
    if len(gaps) > MOST_LISTED:
        lines.append(_("… and %(count)d more.") % {"count": len(gaps) - MOST_LISTED})
    return "\n".join(lines)


def _line(gap: Gap, zone: ZoneInfo, seen: dt.datetime) -> str:
    facts = {"zone": zone, **_times(gap, zone)}
    if gap.ends_at == seen:
        line = _("%(start)s to %(end)s or longer, %(zone)s") % facts
    else:
        line = _("%(start)s to %(end)s, %(zone)s") % facts
    if not gap.unmatched:
        return line
    names = {"line": line, "names": ", ".join(gap.unmatched)}
    return _("%(line)s (the calendar names %(names)s, whom nobody is called)") % names


def _times(gap: Gap, zone: ZoneInfo) -> dict[str, str]:
    return {"start": shown_in(gap.starts_at, zone, "full"), "end": shown_in(gap.ends_at, zone, "full")}


def gap_seconds(now: dt.datetime) -> dict[str, float]:
    """Return the seconds without anybody in the next 7 days, by schedule."""
    names = dict(Schedule.objects.active().values_list("pk", "name"))
    end = now + AHEAD[GapStage.WEEK]
    return {
        names[key]: sum((gap.ends_at - gap.starts_at).total_seconds() for gap in oncall.gaps(one.spec, now, end))
        for key, one in load(list(names), now, end).items()
    }

"""Draw who is on call as SVG: a row per layer, the result below, gaps hatched."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from core.text.moments import shown, shown_in
from responders import oncall
from responders.oncall import Gap, ScheduleSpec, Shift, VersionSpec
from responders.oncall.walltime import DAY, resolve, wall_of

WIDTH, LEFT, ROW, HEAD = 1120, 130, 30, 26
HUES = (210, 150, 30, 275, 340, 185, 95, 0, 240, 60)
DAYS = 14


@dataclass(frozen=True)
class Line:
    title: str
    shifts: list[Shift]
    gaps: list[Gap]


def lines_of(spec: ScheduleSpec, start: dt.datetime, end: dt.datetime) -> list[Line]:
    """Return each layer of the line-ups in that time by itself, and the result."""
    names = dict.fromkeys(
        layer.name for version in spec.versions if version.effective_from < end for layer in version.layers
    )
    found = [Line(name, oncall.shifts(_alone(spec, name), start, end), []) for name in names]
    return [*found, Line(gettext("Final"), oncall.shifts(spec, start, end), oncall.gaps(spec, start, end))]


def _alone(spec: ScheduleSpec, name: str) -> ScheduleSpec:
    versions = tuple(
        VersionSpec(version.effective_from, tuple(layer for layer in version.layers if layer.name == name))
        for version in spec.versions
    )
    return ScheduleSpec(versions, tuple(one for one in spec.overrides if one.layer == name))


def drawn(
    lines: list[Line], start: dt.datetime, end: dt.datetime, zone: ZoneInfo, names: dict[int, str], title: str
) -> SafeString:
    """Return the picture; it follows the page's light or dark colours."""
    height = HEAD + ROW * len(lines)
    parts = [_days(start, end, zone, height)]
    for number, line in enumerate(lines):
        top = HEAD + ROW * number
        parts.append(format_html('<text class="ir-svg-name" x="0" y="{}">{}</text>', top + 19, line.title[:20]))
        parts += [_gap(gap, start, end, zone, top) for gap in line.gaps]
        parts += [_shift(shift, line.shifts, start, end, zone, names, top) for shift in line.shifts]
    return format_html(
        '<svg class="ir-svg" role="img" aria-labelledby="ir-svg-title ir-svg-desc" viewBox="0 0 {} {}">'
        '<title id="ir-svg-title">{}</title><desc id="ir-svg-desc">{}</desc>{}{}</svg>',
        WIDTH,
        height,
        title,
        " ".join(_sentences(lines[-1], zone, names)),
        mark_safe(
            '<defs><pattern id="ir-hatch" width="7" height="7" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><rect width="3" height="7" class="ir-svg-hatch"/></pattern></defs>'
        ),
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def _x(moment: dt.datetime, start: dt.datetime, end: dt.datetime) -> float:
    return round(LEFT + (WIDTH - LEFT) * ((moment - start) / (end - start)), 1)


def _days(start: dt.datetime, end: dt.datetime, zone: ZoneInfo, height: int) -> SafeString:
    day = wall_of(start, zone).date()
    marks = []
    while (midnight := resolve(dt.datetime.combine(day, dt.time.min), zone)) < end:
        if midnight >= start:
            marks.append((_x(midnight, start, end), height, _x(midnight, start, end) + 4, shown(day, "cell")))
        day += DAY
    return format_html_join(
        "", '<path class="ir-svg-day" d="M{} 0V{}"/><text class="ir-svg-date" x="{}" y="16">{}</text>', marks
    )


def _shift(
    shift: Shift,
    beside: list[Shift],
    start: dt.datetime,
    end: dt.datetime,
    zone: ZoneInfo,
    names: dict[int, str],
    top: int,
) -> SafeString:
    # People on call together share the row's height.
    together = sorted(
        {one.user_id for one in beside if one.starts_at < shift.ends_at and one.ends_at > shift.starts_at}
    )
    height = (ROW - 6) / len(together)
    x, right = _x(shift.starts_at, start, end), _x(shift.ends_at, start, end)
    y = top + 3 + height * together.index(shift.user_id)
    name = names.get(shift.user_id, "")
    room = int((right - x - 8) / 7)
    return format_html(
        '<g><title>{}</title><rect class="ir-svg-shift" style="--hue: {}" x="{}" y="{}" width="{}" height="{}" rx="3"/>'
        '<text class="ir-svg-person" x="{}" y="{}">{}</text></g>',
        _sentence(name, shift.starts_at, shift.ends_at, zone),
        HUES[shift.user_id % len(HUES)],
        x,
        round(y, 1),
        max(1.0, round(right - x - 1, 1)),
        round(height, 1),
        x + 4,
        round(y + height / 2 + 4, 1),
        name[:room] if room > 1 and height > 10 else "",
    )


def _gap(gap: Gap, start: dt.datetime, end: dt.datetime, zone: ZoneInfo, top: int) -> SafeString:
    x, right = _x(gap.starts_at, start, end), _x(gap.ends_at, start, end)
    return format_html(
        '<g><title>{}</title><rect class="ir-svg-gap" x="{}" y="{}" width="{}" height="{}" fill="url(#ir-hatch)"/></g>',
        _sentence(gettext("Nobody"), gap.starts_at, gap.ends_at, zone),
        x,
        top + 3,
        max(1.0, round(right - x, 1)),
        ROW - 6,
    )


def _sentences(line: Line, zone: ZoneInfo, names: dict[int, str]) -> Iterable[str]:
    found = [(one.starts_at, one.ends_at, names.get(one.user_id, "")) for one in line.shifts]
    found += [(one.starts_at, one.ends_at, gettext("Nobody")) for one in line.gaps]
    for starts_at, ends_at, name in sorted(found)[:60]:
        yield _sentence(name, starts_at, ends_at, zone)


def _sentence(name: str, starts_at: dt.datetime, ends_at: dt.datetime, zone: ZoneInfo) -> str:
    times = {"start": shown_in(starts_at, zone, "usual"), "end": shown_in(ends_at, zone, "usual")}
    return gettext("%(name)s from %(start)s to %(end)s.") % {"name": name, **times}

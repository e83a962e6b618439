"""The days that a page covers, in the viewer's zone, and how they fall into days, weeks or months."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from core.text.moments import shown

PRESETS = (7, 30, 90)
DEFAULT_DAYS = 30
MOST_DAYS = 366
MOST_BY_DAY, MOST_BY_WEEK = 31, 190
DAY = dt.timedelta(days=1)


class Unusable(ValueError):
    """The message is for the reader."""


@dataclass(frozen=True)
class Stretch:
    """One day, week or month of a period, cut at its ends."""

    label: str
    short: str
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class Period:
    """Whole days by the clocks of a zone; `days` says which preset it is."""

    first: dt.date
    last: dt.date
    zone: ZoneInfo
    days: int | None = None

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def unit(self) -> str:
        if self.length <= MOST_BY_DAY:
            return "day"
        return "week" if self.length <= MOST_BY_WEEK else "month"

    @property
    def start(self) -> dt.datetime:
        return self.midnight(self.first)

    @property
    def end(self) -> dt.datetime:
        return self.midnight(self.last + DAY)

    @property
    def query(self) -> dict[str, str]:
        """Return what keeps it in an address."""
        if self.days is not None:
            return {} if self.days == DEFAULT_DAYS else {"days": str(self.days)}
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}

    @property
    def words(self) -> str:
        if self.days is not None:
            return _("the last %(days)d days") % {"days": self.days}
        return _("%(first)s to %(last)s") % {
            "first": shown(self.first, "date"),
            "last": shown(self.last, "date"),
        }

    def midnight(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time.min, self.zone).astimezone(dt.UTC)

    @cached_property
    def stretches(self) -> list[Stretch]:
        found, day = [], self.first
        while day <= self.last:
            after = min(self._after(day), self.last + DAY)
            label, short = self._labels(day)
            found.append(Stretch(label, short, self.midnight(day), self.midnight(after)))
            day = after
        return found

    @property
    def edges(self) -> list[dt.datetime]:
        return [self.start, *(stretch.end for stretch in self.stretches)]

    def _after(self, day: dt.date) -> dt.date:
        if self.unit == "day":
            return day + DAY
        if self.unit == "week":
            return day + DAY * (7 - day.weekday())
        return (day.replace(day=1) + DAY * 32).replace(day=1)

    def _labels(self, day: dt.date) -> tuple[str, str]:
        if self.unit == "month":
            return shown(day, "month"), shown(day, "bare_month")
        short = shown(day, "brief")
        if self.unit == "week":
            return _("week of %(day)s") % {"day": shown(day, "date")}, short
        return shown(day, "dated"), short


def period_of(parameters: Mapping[str, str], zone: ZoneInfo, now: dt.datetime) -> Period:
    """Return the period that an address asks for. Raises Unusable."""
    today = now.astimezone(zone).date()
    text = parameters.get("days", "")
    days = int(text) if text in map(str, PRESETS) else DEFAULT_DAYS
    preset = Period(today - DAY * (days - 1), today, zone, days)
    if parameters.get("from") or parameters.get("to"):
        last = _date(parameters.get("to", ""), today)
        first = _date(parameters.get("from", ""), last - DAY * (DEFAULT_DAYS - 1))
        if first > last:
            raise Unusable(_("The first day must not be after the last."))
        if (last - first).days >= MOST_DAYS:
            raise Unusable(_("At most %(days)d days can be shown at once.") % {"days": MOST_DAYS})
        # a form sends the days of the preset that it shows along
        is_preset = text and (first, last) == (preset.first, preset.last)
        return preset if is_preset else Period(first, last, zone)
    return preset


def _date(text: str, otherwise: dt.date) -> dt.date:
    if not text:
        return otherwise
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise Unusable(_("%(text)s is not a day such as 2026-11-30.") % {"text": text[:40]}) from None
    if not 1990 <= day.year <= 2200:
        raise Unusable(_("%(text)s is not a day that can be shown.") % {"text": text[:40]})
    return day

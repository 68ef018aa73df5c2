"""ISO weeks, and the stretches of them that reports cover."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

_WRITTEN = re.compile(r"([0-9]{4})-W([0-9]{2})")
# The span in which a chain can have weeks at all.
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


@dataclass(frozen=True, order=True)
class Week:
    """An ISO 8601 week, known by its Monday and written as 2026-W47."""

    monday: date

    @classmethod
    def parse(cls, written: str) -> "Week":
        """Raises ValueError for anything but an existing week."""
        match = _WRITTEN.fullmatch(written)
        if not match or not _FIRST_YEAR <= int(match[1]) <= _LAST_YEAR:
            raise ValueError(f"{written!r} is no ISO week")
        return cls(date.fromisocalendar(int(match[1]), int(match[2]), 1))

    @classmethod
    def of(cls, day: date) -> "Week":
        return cls(day - timedelta(days=day.weekday()))

    @property
    def sunday(self) -> date:
        return self.monday + timedelta(days=6)

    @property
    def number(self) -> int:
        return self.monday.isocalendar().week

    def __str__(self) -> str:
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"

    def __add__(self, weeks: int) -> "Week":
        return Week(self.monday + timedelta(weeks=weeks))

    @property
    def dates(self) -> str:
        """Its first and last day, for reading."""
        return written_dates(self.monday, self.sunday)

    def bounds(self, time_zone: str) -> tuple[datetime, datetime]:
        """Its first instant and the first one after it, in UTC, at a place in `time_zone`."""
        zone = ZoneInfo(time_zone)
        start, end = (datetime.combine(day.monday, time.min, zone).astimezone(UTC) for day in (self, self + 1))
        return start, end


@dataclass(frozen=True)
class Period:
    """`weeks` whole weeks up to and with `last`, and as many before them to compare with."""

    last: Week
    weeks: int

    @property
    def first(self) -> Week:
        return self.last + (1 - self.weeks)

    @property
    def start(self) -> date:
        return self.first.monday

    @property
    def end(self) -> date:
        return self.last.sunday

    @property
    def before(self) -> date:
        """The first day of the period before this one, which is as long."""
        return (self.first + -self.weeks).monday

    @property
    def dates(self) -> str:
        """Its first and last day, for reading."""
        return written_dates(self.start, self.end)


@dataclass(frozen=True)
class Days:
    """Any days, from the first to the last."""

    start: date
    end: date

    @property
    def dates(self) -> str:
        """Its first and last day, for reading."""
        return written_dates(self.start, self.end)


def within_reason(day: date) -> bool:
    """Whether a chain can have a week with this day at all."""
    return _FIRST_YEAR < day.year <= _LAST_YEAR


def latest_day(time_zones: Iterable[str]) -> date:
    """The date it is by now in the easternmost of these zones; UTC's without any."""
    now = timezone.now()
    return max((now.astimezone(ZoneInfo(zone)).date() for zone in time_zones), default=now.astimezone(UTC).date())


def earliest_day(time_zones: Iterable[str]) -> date:
    """The date it still is in the westernmost of these zones; UTC's without any."""
    now = timezone.now()
    return min((now.astimezone(ZoneInfo(zone)).date() for zone in time_zones), default=now.astimezone(UTC).date())


def written_dates(first: date, last: date) -> str:
    """Two dates for reading, without repeating what they share."""
    whole = pgettext("format of a date", "j E Y")
    if first.year != last.year:
        start = whole
    elif first.month != last.month:
        start = pgettext("format of a date", "j E")
    else:
        start = pgettext("format of a date", "j")
    return gettext("%(first)s – %(last)s") % {"first": date_format(first, start), "last": date_format(last, whole)}

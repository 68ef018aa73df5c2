"""From scan to answer at a touchpoint: thirteen weeks, and the hours of the week, by the store's own clock."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Sum
from django.utils import timezone

from core.shares import Share
from stores.models import Touchpoint
from stores.opening import StoreHours, hours_of
from surveys.choices import UNSENT, Mark
from surveys.counting import marks_left_out
from surveys.models import Response, ScanHour

WEEKS = 13
_LEVELS = 4


@dataclass
class Steps:
    """How many scans, opens and answers; robots and staff are counted apart and are in none of them, and so are answers
    that do not count (see surveys.counting): `marks` says by which mark, those that were never sent among them."""

    scans: int = 0
    opens: int = 0
    answers: int = 0
    robots: int = 0
    staff: int = 0
    marks: Counter[str] = field(default_factory=Counter)

    @property
    def unsent(self) -> int:
        """How many tapped an answer and left without Send."""
        return self.marks[UNSENT]

    @property
    def completed(self) -> Share | None:
        """Of those who began to answer, how many sent it; None where nobody did."""
        return Share(self.answers, self.answers + self.unsent) if self.answers or self.unsent else None

    @property
    def kept_apart(self) -> list[tuple[str, int]]:
        """The marks of answers that do not count, in words, the most frequent first."""
        return [(str(Mark(mark).label), n) for mark, n in self.marks.most_common() if mark != UNSENT]

    def note(self, marks: Collection[str], number: int = 1) -> None:
        """Count answers that bear these marks."""
        # What staff tapped and never sent is a trial of theirs: nobody has left.
        if apart := [mark for mark in marks_left_out() if mark in marks]:
            self.marks[apart[0]] += number
        else:
            self.answers += number

    @property
    def answered(self) -> Share | None:
        """The share of opened pages that were answered; None where more was answered than is known to be opened.

        That happens when counts were lost or nothing was counted yet.
        """
        return Share(self.answers, self.opens) if self.opens and self.answers <= self.opens else None

    @property
    def opened(self) -> Share | None:
        """The share of scans whose page is known to have been looked at."""
        return Share(self.opens, self.scans) if self.scans and self.opens <= self.scans else None


@dataclass
class Week(Steps):
    """`counted` is False for a week that was over before scans were counted there at all."""

    monday: date = field(default_factory=date.today)
    counted: bool = True


@dataclass(frozen=True)
class Cell:
    """An hour of the weekday: what it brought in thirteen weeks, and how dark it is drawn (0 to 4)."""

    hour: int
    scans: int
    answers: int
    level: int
    is_open: bool


@dataclass(frozen=True)
class Funnel:
    """`weeks` are newest first; `grid` has seven rows from Monday. `since` is when counting began; None: not yet."""

    total: Steps
    weeks: list[Week]
    grid: list[list[Cell]]
    since: datetime | None


def funnel_of(touchpoint: Touchpoint) -> Funnel:
    """The running week and the twelve before it."""
    store = touchpoint.store
    zone = ZoneInfo(store.time_zone)
    first = _first_monday(zone)
    begin = datetime.combine(first, time(0), zone).astimezone(UTC)
    weeks = {first + timedelta(weeks=n): Week(monday=first + timedelta(weeks=n)) for n in range(WEEKS)}
    scans, answers, total = Counter[tuple[int, int]](), Counter[tuple[int, int]](), Steps()
    for row in ScanHour.objects.filter(touchpoint=touchpoint, hour__gte=begin):
        local = row.hour.astimezone(zone)
        scans[local.weekday(), local.hour] += row.scans
        for one in (weeks.get(_monday(local.date())), total):
            if one is not None:
                one.scans += row.scans
                one.opens += row.opens
                one.robots += row.robots
                one.staff += row.staff
    submitted = Response.objects.filter(touchpoint=touchpoint, submitted_at__gte=begin)
    for at, marks in submitted.values_list("submitted_at", "flags"):
        local = at.astimezone(zone)
        answers[local.weekday(), local.hour] += not set(marks_left_out()) & set(marks)
        for one in (weeks.get(_monday(local.date())), total):
            if one is not None:
                one.note(marks)
    since = ScanHour.objects.filter(touchpoint=touchpoint).aggregate(since=Min("hour"))["since"]
    for week in weeks.values():
        week.counted = since is not None and week.monday + timedelta(weeks=1) > since.astimezone(zone).date()
    newest = sorted(weeks.values(), key=lambda week: week.monday, reverse=True)
    return Funnel(total, newest, _grid(scans, answers, hours_of(store)), since)


def totals_of(touchpoints: Collection[Touchpoint]) -> dict[int, Steps]:
    """The same thirteen weeks of several touchpoints of one store, by id, in two queries."""
    found = {one.pk: Steps() for one in touchpoints}
    if not touchpoints:
        return found
    zone = ZoneInfo(next(iter(touchpoints)).store.time_zone)
    begin = datetime.combine(_first_monday(zone), time(0), zone).astimezone(UTC)
    counted = ScanHour.objects.filter(touchpoint__in=found, hour__gte=begin).values("touchpoint").order_by()
    for row in counted.annotate(s=Sum("scans"), o=Sum("opens"), r=Sum("robots"), f=Sum("staff")):
        steps = found[row["touchpoint"]]
        steps.scans, steps.opens, steps.robots, steps.staff = row["s"], row["o"], row["r"], row["f"]
    answered = Response.objects.filter(touchpoint__in=found, submitted_at__gte=begin)
    for touchpoint, marks, number in answered.values_list("touchpoint", "flags").order_by().annotate(n=Count("pk")):
        found[touchpoint].note(marks, number)
    return found


def _first_monday(zone: ZoneInfo) -> date:
    return _monday(timezone.now().astimezone(zone).date()) - timedelta(weeks=WEEKS - 1)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _grid(scans: Counter[tuple[int, int]], answers: Counter[tuple[int, int]], hours: StoreHours) -> list[list[Cell]]:
    most = max(scans.values(), default=0)

    def cell(day: int, hour: int) -> Cell:
        number = scans[day, hour]
        level = -(-number * _LEVELS // most) if number else 0
        return Cell(hour, number, answers[day, hour], level, _is_open(hours, day, hour))

    return [[cell(day, hour) for hour in range(24)] for day in range(7)]


def _is_open(hours: StoreHours, day: int, hour: int) -> bool:
    """Whether the weekly hours have the store open at some time of this hour."""
    if hours.assumed:
        return True
    return any(_touches(hours.weekly.get(day, ()), hour)) or any(
        _touches(hours.weekly.get((day - 1) % 7, ()), hour + 24)
    )


def _touches(stretches: Iterable[tuple[time, time]], hour: int) -> Iterable[bool]:
    for opens, closes in stretches:
        begin, end = opens.hour + opens.minute / 60, closes.hour + closes.minute / 60
        yield begin < hour + 1 and hour < (end if end > begin else end + 24)

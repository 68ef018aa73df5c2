"""A store's hours as a person reads them. The clock's own reading of them is in `alerts`."""

from dataclasses import dataclass
from datetime import date, datetime, time

from django.utils.dates import WEEKDAYS

from stores.models import HoursException, Store


@dataclass(frozen=True)
class Weekday:
    """One line of the table: no intervals means closed."""

    name: str
    intervals: list[tuple[time, time]]
    is_today: bool

    @property
    def round_the_clock(self) -> bool:
        return self.intervals == [(time(0), time(0))]


def week_of(store: Store, now_local: datetime) -> list[Weekday]:
    """Monday to Sunday; an empty list when no hours were entered at all."""
    found = list(store.opening_intervals.order_by("weekday", "opens"))
    if not found:
        return []
    return [
        Weekday(
            name=str(WEEKDAYS[day]),
            intervals=[(i.opens, i.closes) for i in found if i.weekday == day],
            is_today=day == now_local.weekday(),
        )
        for day in range(7)
    ]


def coming_exceptions(store: Store, today: date) -> list[HoursException]:
    """The next dates on which the weekly hours do not hold."""
    return list(store.hours_exceptions.filter(date__gte=today).order_by("date", "opens")[:10])


def iso_week(day: date) -> str:
    """`2026-W47`, as the wall's address has it."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02d}"

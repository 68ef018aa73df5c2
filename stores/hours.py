"""A store's hours as a person reads them. How the clock reads them is in `stores.opening`."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from stores.models import HoursException, Store
from stores.opening import StoreHours
from stores.public_holidays import public_holidays
from stores.stretches import ROUND_THE_CLOCK, Stretch

_COMING = timedelta(days=90)
_MOST_COMING = 8


@dataclass(frozen=True)
class Day:
    """One line of the week: no stretches means closed; `note` says why the day is not as usual, if it is not."""

    date: date
    name: str
    stretches: tuple[Stretch, ...]
    is_today: bool
    note: str = ""

    @property
    def round_the_clock(self) -> bool:
        return self.stretches == (ROUND_THE_CLOCK,)


@dataclass(frozen=True)
class Coming:
    """A date on which the weekly hours may not hold: `stretches` None means that they do, holiday or not."""

    date: date
    stretches: tuple[Stretch, ...] | None
    reason: str


def week_of(store: Store, hours: StoreHours, today: date) -> list[Day]:
    """This week from Monday to Sunday as it really is; an empty list when no hours were entered at all."""
    if hours.assumed:
        return []
    monday = today - timedelta(days=today.weekday())
    dates = [monday + timedelta(days=n) for n in range(7)]
    reasons = _reasons(store, hours, dates[0], dates[-1])
    return [Day(day, str(WEEKDAYS[day.weekday()]), hours.on(day), day == today, reasons.get(day, "")) for day in dates]


def _reasons(store: Store, hours: StoreHours, first: date, last: date) -> dict[date, str]:
    """Why dates are not as usual, the weightiest reason of each."""
    found = dict(public_holidays(store.subdivision or store.country, first, last)) if hours.holidays else {}
    for one in store.hours_exceptions.filter(date__range=(first, last)):
        found[one.date] = one.reason or found.get(one.date) or _("other hours")
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        if is_closed_on(store, day):
            found[day] = store.closed_reason or _("temporarily closed")
    return found


def coming_days(store: Store, hours: StoreHours, today: date) -> list[Coming]:
    """The next public holidays, and the next dates with hours of their own."""
    until = today + _COMING
    found: dict[date, Coming] = {}
    for day, name in public_holidays(store.subdivision or store.country, today, until):
        found[day] = Coming(day, () if hours.holidays else None, name)
    for one in coming_exceptions(store, today):
        holiday = found.get(one.date)
        reason = one.reason or (holiday.reason if holiday else "")
        found[one.date] = Coming(one.date, hours.exceptions[one.date], reason)
    return [found[day] for day in sorted(found)][:_MOST_COMING]


def coming_exceptions(store: Store, today: date) -> list[HoursException]:
    """The dates from today on for which somebody entered other hours, a row for each stretch."""
    return list(store.hours_exceptions.filter(date__gte=today).order_by("date", "opens"))


def is_closed_on(store: Store, day: date) -> bool:
    """Whether a temporary closure covers a local date."""
    if store.closed_from is None or day < store.closed_from:
        return False
    return store.closed_until is None or day <= store.closed_until


def iso_week(day: date) -> str:
    """`2026-W47`, as the wall's address has it."""
    year, week, _weekday = day.isocalendar()
    return f"{year}-W{week:02d}"

"""When a store is open, instant by instant, as computed from its hours.

Rules for what hours can say:
- A weekday's interval belongs to the day on which it opens, also when it closes on the next; so does an exception,
  which replaces everything that would open on its date.
- On a public holiday nothing opens where the store's rule says so, unless an exception names the date. A temporary
  closure outweighs everything: who closes for rebuilding in December no longer means the exception for Christmas Eve.
- A closing time that the clock passes twice (autumn) is the second one, one that it skips (spring) lies as many real
  minutes after opening as on any other day.
- No weekly hours entered: open round the clock, "assumed".
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Func, JSONField

from core.quick import ask
from stores.models import OpeningInterval, Store
from stores.public_holidays import is_public_holiday
from stores.stretches import ROUND_THE_CLOCK, Stretch

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class StoreHours:
    """`weekly` maps a weekday (Monday is 0) to its stretches; `exceptions` a local date to its own, none if closed.

    `holidays` names the country or subdivision ("DE-BY") on whose public holidays the store is closed; "" is none.
    `closed_from` and `closed_until` are the first and last local date of a temporary closure; no last one: open-ended.
    """

    zone: ZoneInfo
    weekly: Mapping[int, tuple[Stretch, ...]] = field(default_factory=dict)
    exceptions: Mapping[date, tuple[Stretch, ...]] = field(default_factory=dict)
    holidays: str = ""
    closed_from: date | None = None
    closed_until: date | None = None

    @property
    def assumed(self) -> bool:
        """Whether nobody has entered weekly hours, so that the store counts as always open."""
        return not self.weekly

    def on(self, day: date) -> tuple[Stretch, ...]:
        """The stretches that open on a local date."""
        if self.closed_from and self.closed_from <= day and (self.closed_until is None or day <= self.closed_until):
            return ()
        if day in self.exceptions:
            return self.exceptions[day]
        if self.holidays and is_public_holiday(self.holidays, day):
            return ()
        if self.assumed:
            return (ROUND_THE_CLOCK,)
        return self.weekly.get(day.weekday(), ())


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


# Asked for every case inside the submission, where building the union costs more than running it.
_HOURS = """
    SELECT store_id, weekday, NULL::date, opens, closes FROM stores_openinginterval WHERE store_id = ANY(%s::bigint[])
    UNION ALL
    SELECT store_id, NULL, date, opens, closes FROM stores_hoursexception WHERE store_id = ANY(%s::bigint[])
"""


def weekly_hours(store_ids: Collection[int]) -> dict[int, dict[int, list[Stretch]]]:
    """The weekly hours of some stores by id (Monday is 0), as they were entered; one without any is left out."""
    found: dict[int, dict[int, list[Stretch]]] = {}
    rows = OpeningInterval.objects.filter(store__in=store_ids).order_by("weekday", "opens")
    for store, weekday, opens, closes in rows.values_list("store", "weekday", "opens", "closes"):
        found.setdefault(store, {}).setdefault(weekday, []).append((opens, closes))
    return found


class HoursBeside(Func):
    """The hours of the store whose id is given, as one value of a query that reads the store anyway: see `hours_of`."""

    template = """coalesce((SELECT jsonb_agg(jsonb_build_array(weekday, date, opens, closes)) FROM (
        SELECT weekday, NULL::date AS date, opens, closes FROM stores_openinginterval WHERE store_id = %(expressions)s
        UNION ALL
        SELECT NULL, date, opens, closes FROM stores_hoursexception WHERE store_id = %(expressions)s
    ) AS known), '[]')"""
    output_field = JSONField()


def hours_of(store: Store, *, beside: Sequence[Sequence[Any]] | None = None) -> StoreHours:
    """The hours as they are now, in one query; in none where `HoursBeside` read them beside the store."""
    if beside is None:
        return hours_of_stores([store])[store.pk]
    return _read(store, [(weekday, day and date.fromisoformat(day), *map(_clock, at)) for weekday, day, *at in beside])


def _clock(said: str | None) -> time | None:
    return None if said is None else time.fromisoformat(said)


def hours_of_stores(stores: Collection[Store]) -> Mapping[int, StoreHours]:
    """The hours of some stores by id, in one query."""
    rows: dict[int, list[Any]] = {store.pk: [] for store in stores}
    for store_id, *row in ask(_HOURS, [list(rows), list(rows)]):
        rows[store_id].append(row)
    return {store.pk: _read(store, rows[store.pk]) for store in stores}


def _read(store: Store, rows: Iterable[Sequence[Any]]) -> StoreHours:
    """From rows of weekday or date, opening and closing time; a date without times is closed."""
    weekly: dict[int, list[Stretch]] = {}
    exceptions: dict[date, list[Stretch]] = {}
    for weekday, day, opens, closes in rows:
        if day is None:
            weekly.setdefault(weekday, []).append((opens, closes))
        else:
            exceptions.setdefault(day, []).extend([(opens, closes)] if opens is not None else [])
    return StoreHours(
        _zone(store.time_zone),
        {weekday: tuple(sorted(stretches)) for weekday, stretches in weekly.items()},
        {day: tuple(sorted(stretches)) for day, stretches in exceptions.items()},
        store.holiday_place,
        store.closed_from,
        store.closed_until,
    )


def _opening(zone: ZoneInfo, day: date, at: time) -> datetime:
    """In UTC; the first of two passes, and after the gap when skipped."""
    return datetime.combine(day, at, zone).astimezone(UTC)


def _closing(zone: ZoneInfo, day: date, at: time) -> datetime:
    """In UTC; the second of two passes, and never before the gap when skipped."""
    local = datetime.combine(day, at, zone)
    return max(local.astimezone(UTC), local.replace(fold=1).astimezone(UTC))


def open_spans(hours: StoreHours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches in which the store is open between two instants, in UTC, in order and without overlap."""
    cursor = start.astimezone(UTC)
    end = end.astimezone(UTC)
    # A stretch that runs into the first day may have opened on the day before, which the clock change may shift.
    day = cursor.astimezone(hours.zone).date() - _DAY
    last = end.astimezone(hours.zone).date()
    while day <= last and cursor < end:
        for opens, closes in hours.on(day):
            begin = max(_opening(hours.zone, day, opens), cursor)
            until = min(_closing(hours.zone, day + _DAY if closes <= opens else day, closes), end)
            if until > begin:
                yield begin, until
                cursor = until
        day += _DAY


def is_open(hours: StoreHours, at: datetime) -> bool:
    """Whether the store is open at this instant; the closing minute itself is closed."""
    return any(True for _span in open_spans(hours, at, at + timedelta(microseconds=1)))

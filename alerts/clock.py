"""The 30-minute clock: deadlines in open minutes, computed in UTC from a store's hours (see `stores.opening`).

A store that is closed for the next 60 days has nobody to wait for: the clock runs at once ("closed"), so that its
ladder reaches the people above it.
"""

from datetime import UTC, datetime, timedelta

from alerts.choices import Counted
from stores.opening import StoreHours as StoreHours
from stores.opening import hours_of as hours_of
from stores.opening import hours_of_stores as hours_of_stores
from stores.opening import is_open as is_open
from stores.opening import open_spans as open_spans

HORIZON = timedelta(days=60)
ENTERED, ASSUMED, CLOSED, WALL = "entered", "assumed", "closed", "wall"


def deadline(hours: StoreHours, start: datetime, open_minutes: int) -> tuple[datetime, str]:
    """When that many open minutes after `start` are over, in UTC, and what it rests on (ENTERED, ASSUMED, CLOSED)."""
    left = timedelta(minutes=open_minutes)
    start = start.astimezone(UTC)
    if not left:
        return start, ASSUMED if hours.assumed else ENTERED
    for begin, until in open_spans(hours, start, start + HORIZON):
        if until - begin >= left:
            return begin + left, ASSUMED if hours.assumed else ENTERED
        left -= until - begin
    return start + timedelta(minutes=open_minutes), CLOSED


def due_after(hours: StoreHours, start: datetime, minutes: int, counted: str) -> tuple[datetime, str]:
    """When that many minutes after `start` are over, open ones or those of the wall clock, and what it rests on."""
    if counted == Counted.WALL:
        return start.astimezone(UTC) + timedelta(minutes=minutes), WALL
    return deadline(hours, start, minutes)


def add_open_time(hours: StoreHours, start: datetime, open_minutes: int) -> datetime:
    """The instant, in UTC, at which `open_minutes` of opening time have passed since `start`."""
    return deadline(hours, start, open_minutes)[0]


def open_minutes_between(hours: StoreHours, start: datetime, end: datetime) -> float:
    """How many open minutes lie between two instants; 0 when `end` is not after `start`."""
    return sum((until - begin).total_seconds() for begin, until in open_spans(hours, start, end)) / 60

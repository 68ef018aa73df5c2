"""What holds of every clock: in any zone, over every change of it, by night, on holidays and while a store is closed.

The oracle is the wall: what a person standing before the door would say of one local moment, see `open_by_the_wall`.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.choices import Counted
from alerts.clock import CLOSED, StoreHours, add_open_time, deadline, due_after, is_open, open_minutes_between
from stores.public_holidays import is_public_holiday

ZONES = (
    "Europe/London", "Europe/Berlin", "Europe/Kyiv", "Africa/Casablanca", "America/New_York", "America/St_Johns",
    "America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia", "UTC",
)  # fmt: skip
HOLIDAYS = ("", "DE-BY", "GB-ENG", "UA")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@cache
def changes_of(zone: str) -> tuple[datetime, ...]:
    """The instants from 2025 to 2027 at which the zone's clocks are put forward or back."""
    there, at, found = ZoneInfo(zone), datetime(2025, 1, 1, tzinfo=UTC), []
    while at.year < 2028:
        later = at + DAY
        if at.astimezone(there).utcoffset() != later.astimezone(there).utcoffset():
            low, high = at, later
            while high - low > MINUTE:
                middle = low + (high - low) / 2
                same = middle.astimezone(there).utcoffset() == low.astimezone(there).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high.replace(second=0, microsecond=0))
        at = later
    return tuple(found)


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
# Of two the later may come first: a night.
stretches = st.lists(st.tuples(times, times), max_size=2).map(lambda found: tuple(sorted(found)))


@st.composite
def clocks(draw: st.DrawFn) -> tuple[StoreHours, datetime]:
    """A store's hours, and an instant that often lies close to a change of its clocks."""
    zone = draw(st.sampled_from(ZONES))
    changes, at_a_change = changes_of(zone), draw(st.booleans())
    if changes and at_a_change:
        start = draw(st.sampled_from(changes)) + MINUTE * draw(st.integers(-2 * 1440, 1440))
    else:
        start = datetime(2025, 1, 3, tzinfo=UTC) + MINUTE * draw(st.integers(0, 2 * 365 * 1440))
    near = st.integers(-2, 4).map(lambda n: start.astimezone(ZoneInfo(zone)).date() + DAY * n)
    closed = draw(st.one_of(st.none(), st.tuples(near, st.integers(0, 3))))
    hours = StoreHours(
        ZoneInfo(zone),
        draw(st.dictionaries(st.integers(0, 6), stretches, max_size=7)),
        draw(st.dictionaries(near, stretches, max_size=2)),
        draw(st.sampled_from(HOLIDAYS)),
        closed[0] if closed else None,
        closed[0] + DAY * closed[1] if closed else None,
    )
    return hours, start


def opens_on(hours: StoreHours, day: date) -> tuple[tuple[time, time], ...]:
    """The rules of `stores.opening` restated: closure, then exception, then holiday, then the week."""
    if hours.closed_from and hours.closed_until and hours.closed_from <= day <= hours.closed_until:
        return ()
    if day in hours.exceptions:
        return hours.exceptions[day]
    if hours.holidays and is_public_holiday(hours.holidays, day):
        return ()
    return hours.weekly.get(day.weekday(), ()) if hours.weekly else ((time(0), time(0)),)


def open_by_the_wall(hours: StoreHours, local: datetime) -> bool:
    now = local.time()
    today = any(opens <= now and (closes <= opens or now < closes) for opens, closes in opens_on(hours, local.date()))
    before = opens_on(hours, local.date() - DAY)
    return today or any(closes <= opens and now < closes for opens, closes in before)


def is_ambiguous(hours: StoreHours, at: datetime) -> bool:
    """Whether a door opens or closes within an hour that the clocks skip or repeat around this instant: what is meant
    then is a rule of its own, see `tests/alerts/test_clock.py`."""
    local = at.astimezone(hours.zone)
    boundaries = {
        datetime.combine(day, moment)
        for day in (local.date() - DAY, local.date())
        for stretch in opens_on(hours, day)
        for moment, day in ((stretch[0], day), (stretch[1], day + DAY if stretch[1] <= stretch[0] else day))
    }
    return any(
        boundary.replace(tzinfo=hours.zone).utcoffset() != boundary.replace(tzinfo=hours.zone, fold=1).utcoffset()
        for boundary in boundaries
    )


@settings(max_examples=250, deadline=None)
@given(clocks())
def test_the_door_is_open_when_the_wall_says_so(drawn: tuple[StoreHours, datetime]) -> None:
    hours, start = drawn
    for minutes in range(0, 36 * 60, 19):
        at = start + MINUTE * minutes
        if not is_ambiguous(hours, at):
            assert is_open(hours, at) == open_by_the_wall(hours, at.astimezone(hours.zone)), at


@settings(max_examples=250, deadline=None)
@given(clocks(), st.integers(1, 120))
def test_before_the_deadline_lie_exactly_its_open_minutes(drawn: tuple[StoreHours, datetime], minutes: int) -> None:
    hours, start = drawn
    due_at, basis = deadline(hours, start, minutes)
    assert due_at.utcoffset() == timedelta(0)
    # Real minutes, whatever the clocks did meanwhile.
    assert due_at - start >= MINUTE * minutes
    if basis == CLOSED:
        assert due_at - start == MINUTE * minutes
        return
    assert open_minutes_between(hours, start, due_at) == pytest.approx(minutes, abs=1e-6)
    assert is_open(hours, due_at - timedelta(microseconds=1))


@settings(max_examples=150, deadline=None)
@given(clocks(), st.integers(0, 90), st.integers(1, 90))
def test_minutes_add_up_and_later_is_never_due_earlier(
    drawn: tuple[StoreHours, datetime], first: int, second: int
) -> None:
    hours, start = drawn
    if deadline(hours, start, first + second)[1] == CLOSED:
        return
    assert add_open_time(hours, add_open_time(hours, start, first), second) == add_open_time(
        hours, start, first + second
    )
    later = start + MINUTE * first
    if deadline(hours, later, second)[1] != CLOSED:
        assert add_open_time(hours, start, second) <= add_open_time(hours, later, second)


@settings(max_examples=100, deadline=None)
@given(clocks(), st.integers(1, 600))
def test_by_the_wall_clock_minutes_are_real_ones(drawn: tuple[StoreHours, datetime], minutes: int) -> None:
    hours, start = drawn
    local = start.astimezone(hours.zone)
    assert due_after(hours, local, minutes, Counted.WALL)[0] - start == MINUTE * minutes


def test_the_clocks_of_most_zones_are_put_forward_and_back() -> None:
    """The properties above are about something."""
    assert {zone for zone in ZONES if len(changes_of(zone)) >= 6} >= {"Europe/Kyiv", "America/St_Johns"}
    assert changes_of("Europe/London")[1] == datetime(2025, 10, 26, 1, tzinfo=UTC)

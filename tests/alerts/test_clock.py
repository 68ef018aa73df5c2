"""Thirty open minutes, in any zone, on any day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.clock import (
    ASSUMED,
    CLOSED,
    ENTERED,
    HORIZON,
    StoreHours,
    add_open_time,
    deadline,
    hours_of,
    is_open,
    open_minutes_between,
    open_spans,
)
from stores.models import HoursException, OpeningInterval
from tests.factories import Chain, make_store
from tests.timing import cpu_secs

LONDON, KYIV = ZoneInfo("Europe/London"), ZoneInfo("Europe/Kyiv")
SHOP = ((time(9), time(18)),)
ALWAYS = ((time(0), time(0)),)


def every_day(zone: ZoneInfo, stretches: tuple[tuple[time, time], ...], **more: object) -> StoreHours:
    return StoreHours(zone, dict.fromkeys(range(7), stretches), **more)  # type: ignore[arg-type]


def at(zone: ZoneInfo, *moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=zone, fold=fold).astimezone(UTC)  # type: ignore[misc,arg-type]


def test_within_opening_hours() -> None:
    hours = every_day(KYIV, SHOP)
    assert add_open_time(hours, at(KYIV, 2026, 11, 20, 10), 30) == at(KYIV, 2026, 11, 20, 10, 30)


def test_what_is_left_in_the_evening_goes_on_in_the_morning() -> None:
    hours = every_day(KYIV, SHOP)
    assert add_open_time(hours, at(KYIV, 2026, 11, 20, 17, 50), 30) == at(KYIV, 2026, 11, 21, 9, 20)


def test_a_closed_store_starts_at_its_next_opening() -> None:
    weekdays = StoreHours(KYIV, dict.fromkeys(range(5), SHOP))
    friday_night, monday = at(KYIV, 2026, 11, 20, 23), at(KYIV, 2026, 11, 23, 9, 30)
    assert add_open_time(weekdays, friday_night, 30) == monday
    assert add_open_time(weekdays, friday_night, 0) == friday_night


def test_the_last_minute_before_closing_fits() -> None:
    hours = every_day(KYIV, SHOP)
    assert add_open_time(hours, at(KYIV, 2026, 11, 20, 17, 30), 30) == at(KYIV, 2026, 11, 20, 18)


def test_open_past_midnight() -> None:
    hours = every_day(KYIV, ((time(18), time(2)),))
    assert is_open(hours, at(KYIV, 2026, 11, 21, 1, 59))
    assert not is_open(hours, at(KYIV, 2026, 11, 21, 2))
    assert add_open_time(hours, at(KYIV, 2026, 11, 21, 1, 50), 30) == at(KYIV, 2026, 11, 21, 18, 20)


def test_round_the_clock_has_no_seam_at_midnight() -> None:
    hours = every_day(KYIV, ALWAYS)
    assert add_open_time(hours, at(KYIV, 2026, 11, 20, 23, 50), 30) == at(KYIV, 2026, 11, 21, 0, 20)


def test_overlapping_intervals_count_once() -> None:
    hours = every_day(KYIV, ((time(9), time(14)), (time(12), time(18))))
    assert open_minutes_between(hours, at(KYIV, 2026, 11, 20, 0), at(KYIV, 2026, 11, 21, 0)) == 9 * 60


def test_a_lunch_break_stops_the_clock() -> None:
    hours = every_day(KYIV, ((time(9), time(13)), (time(14), time(18))))
    assert add_open_time(hours, at(KYIV, 2026, 11, 20, 12, 45), 30) == at(KYIV, 2026, 11, 20, 14, 15)


def test_a_holiday_and_a_short_day() -> None:
    hours = every_day(KYIV, SHOP, exceptions={date(2026, 12, 25): (), date(2026, 12, 26): ((time(12), time(15)),)})
    assert add_open_time(hours, at(KYIV, 2026, 12, 24, 17, 50), 30) == at(KYIV, 2026, 12, 26, 12, 20)


def test_the_night_before_a_holiday_runs_to_its_end() -> None:
    hours = every_day(KYIV, ((time(18), time(2)),), exceptions={date(2026, 12, 25): ()})
    assert is_open(hours, at(KYIV, 2026, 12, 25, 1))
    assert not is_open(hours, at(KYIV, 2026, 12, 25, 19))


def test_thirty_minutes_over_the_end_of_summer_time() -> None:
    """01:50 BST and half an hour is 01:20 GMT; adding in local time would make it ninety minutes."""
    start = at(LONDON, 2026, 10, 25, 1, 50)
    assert start == datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    for hours in (every_day(LONDON, ALWAYS), StoreHours(LONDON)):
        assert add_open_time(hours, start, 30) == datetime(2026, 10, 25, 1, 20, tzinfo=UTC)


def test_the_hour_that_is_lived_twice_counts_twice() -> None:
    hours = every_day(LONDON, ((time(0), time(6)),))
    assert open_minutes_between(hours, at(LONDON, 2026, 10, 25, 0), at(LONDON, 2026, 10, 26, 0)) == 7 * 60


def test_the_hour_that_is_skipped_does_not_count() -> None:
    hours = every_day(LONDON, ((time(0), time(6)),))
    assert open_minutes_between(hours, at(LONDON, 2026, 3, 29, 0), at(LONDON, 2026, 3, 29, 12)) == 5 * 60
    start = at(LONDON, 2026, 3, 29, 0, 50)
    assert add_open_time(hours, start, 30) == start + timedelta(minutes=30)


def test_a_closing_time_in_the_repeated_hour_is_the_second() -> None:
    hours = every_day(LONDON, ((time(18), time(1, 30)),))
    assert is_open(hours, at(LONDON, 2026, 10, 25, 1, 20, fold=1))
    assert not is_open(hours, at(LONDON, 2026, 10, 25, 1, 30, fold=1))


def test_times_in_the_skipped_hour_never_make_negative_stretches() -> None:
    opens = every_day(LONDON, ((time(1, 30), time(6)),))
    assert open_minutes_between(opens, at(LONDON, 2026, 3, 29, 0), at(LONDON, 2026, 3, 29, 12)) == 3.5 * 60
    closes = every_day(LONDON, ((time(18), time(1, 30)),))
    assert open_minutes_between(closes, at(LONDON, 2026, 3, 28, 12), at(LONDON, 2026, 3, 29, 12)) == 7.5 * 60


def test_no_hours_entered_is_always_open_and_says_so() -> None:
    start = at(KYIV, 2026, 11, 20, 3)
    assert deadline(StoreHours(KYIV), start, 30) == (start + timedelta(minutes=30), ASSUMED)
    assert deadline(every_day(KYIV, ALWAYS), start, 30)[1] == ENTERED


def test_a_store_closed_for_months_does_not_stop_the_clock() -> None:
    start = at(KYIV, 2026, 11, 20, 10)
    refit = {start.date() + timedelta(days=n): () for n in range(-1, 70)}
    assert deadline(every_day(KYIV, SHOP, exceptions=refit), start, 30) == (start + timedelta(minutes=30), CLOSED)


def test_no_hours_entered_but_a_holiday() -> None:
    hours = StoreHours(KYIV, exceptions={date(2026, 12, 25): ()})
    assert add_open_time(hours, at(KYIV, 2026, 12, 25, 12), 30) == at(KYIV, 2026, 12, 26, 0, 30)


@pytest.mark.django_db
def test_hours_come_from_the_store(chain: Chain) -> None:
    store = make_store(node=chain.area, code="H1", hours=None)
    assert hours_of(store).assumed
    OpeningInterval.objects.create(store=store, weekday=0, opens=time(14), closes=time(18))
    OpeningInterval.objects.create(store=store, weekday=0, opens=time(9), closes=time(13))
    HoursException.objects.create(store=store, date=date(2026, 12, 24), opens=time(9), closes=time(12))
    HoursException.objects.create(store=store, date=date(2026, 12, 25))
    assert hours_of(store) == StoreHours(
        KYIV,
        {0: ((time(9), time(13)), (time(14), time(18)))},
        {date(2026, 12, 24): ((time(9), time(12)),), date(2026, 12, 25): ()},
    )


# --- for any zone, instant and calendar -------------------------------------------------------------------------
ZONES = ["Europe/London", "Europe/Kyiv", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe"]
ZONES += ["Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "UTC"]
times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
stretches = st.lists(st.tuples(times, times), max_size=3).map(lambda found: tuple(sorted(found)))
instants = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001


@st.composite
def calendars(draw: st.DrawFn) -> tuple[StoreHours, datetime]:
    start = draw(instants)
    near = st.integers(-2, 4).map(lambda n: start.date() + timedelta(days=n))
    weekly = draw(st.dictionaries(st.integers(0, 6), stretches, max_size=7))
    return StoreHours(
        ZoneInfo(draw(st.sampled_from(ZONES))), weekly, draw(st.dictionaries(near, stretches, max_size=4))
    ), start


@settings(max_examples=300, deadline=None)
@given(calendars())
def test_exactly_thirty_open_minutes_lie_before_the_deadline(drawn: tuple[StoreHours, datetime]) -> None:
    hours, start = drawn
    due_at, basis = deadline(hours, start, 30)
    if basis == CLOSED:
        assert open_minutes_between(hours, start, start + HORIZON) < 30
        return
    assert due_at.tzinfo is UTC
    assert open_minutes_between(hours, start, due_at) * 60 == pytest.approx(1800, abs=1e-5)
    # It is the first such instant: the store was open right before it.
    assert is_open(hours, due_at - timedelta(microseconds=1))


@settings(max_examples=200, deadline=None)
@given(calendars())
def test_spans_are_ordered_and_agree_with_the_wall_clock(drawn: tuple[StoreHours, datetime]) -> None:
    hours, start = drawn
    spans = list(open_spans(hours, start, start + timedelta(days=4)))
    for (_, until), (begin, _) in pairwise(spans):
        assert until <= begin
    for minutes in range(0, 4 * 24 * 60, 97):
        moment = start + timedelta(minutes=minutes)
        local = moment.astimezone(hours.zone)
        if _near_a_clock_change(local):
            continue
        assert any(begin <= moment < until for begin, until in spans) == _open_by_the_wall(hours, local)


def _near_a_clock_change(local: datetime) -> bool:
    day = timedelta(days=2)
    return len({(local + shift).utcoffset() for shift in (-day, timedelta(0), day)}) > 1


def _open_by_the_wall(hours: StoreHours, local: datetime) -> bool:
    """The rules of the hours restated, one local moment at a time."""
    now, today = local.time(), local.date()
    for opens, closes in hours.on(today):
        if opens <= now and (now < closes or closes <= opens):
            return True
    return any(closes <= opens and now < closes for opens, closes in hours.on(today - timedelta(days=1)))


def test_a_deadline_is_found_within_a_millisecond() -> None:
    hours = every_day(KYIV, SHOP, exceptions={date(2026, 12, 25): (), date(2026, 12, 26): ()})
    start = at(KYIV, 2026, 12, 24, 17, 50)
    assert cpu_secs(lambda: [deadline(hours, start, 30) for _ in range(50)]) / 50 < 0.001

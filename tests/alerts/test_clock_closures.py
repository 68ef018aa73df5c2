"""The clock stands on public holidays and while a store is closed for a time."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts.clock import CLOSED, ENTERED, StoreHours, add_open_time, deadline, hours_of, is_open
from alerts.models import Case
from alerts.policy import ensure_defaults
from alerts.queries import case_for_response
from stores.choices import HolidayRule
from stores.models import HoursException, Store
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_response, make_store, make_touchpoint
from tests.timing import cpu_secs

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SHOP = ((time(9), time(18)),)


def every_day(zone: ZoneInfo, stretches: tuple[tuple[time, time], ...] = SHOP, **more: object) -> StoreHours:
    return StoreHours(zone, dict.fromkeys(range(7), stretches), **more)  # type: ignore[arg-type]


def at(zone: ZoneInfo, *moment: int) -> datetime:
    return datetime(*moment, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


def test_a_public_holiday_is_skipped_where_it_is_one() -> None:
    """Corpus Christi 2026: a holiday in Bavaria, an ordinary Thursday in Berlin."""
    eve, morrow = at(BERLIN, 2026, 6, 3, 17, 50), at(BERLIN, 2026, 6, 5, 9, 20)
    assert add_open_time(every_day(BERLIN, holidays="DE-BY"), eve, 30) == morrow
    assert add_open_time(every_day(BERLIN, holidays="DE-BE"), eve, 30) == morrow - timedelta(days=1)
    assert add_open_time(every_day(BERLIN), eve, 30) == morrow - timedelta(days=1)


def test_a_place_without_a_calendar_has_no_holidays() -> None:
    eve = at(BERLIN, 2026, 12, 24, 17, 50)
    assert add_open_time(every_day(BERLIN, holidays="XX"), eve, 30) == at(BERLIN, 2026, 12, 25, 9, 20)
    # A part that the country's calendar does not tell apart has the country's own.
    assert add_open_time(every_day(BERLIN, holidays="FR-BRE"), eve, 30) == at(BERLIN, 2026, 12, 26, 9, 20)


def test_an_exception_wins_over_the_holiday() -> None:
    hours = every_day(BERLIN, holidays="DE", exceptions={date(2026, 12, 25): ((time(12), time(14)),)})
    assert add_open_time(hours, at(BERLIN, 2026, 12, 24, 17, 50), 30) == at(BERLIN, 2026, 12, 25, 12, 20)


def test_the_night_before_a_holiday_runs_into_it() -> None:
    """New Year's Eve belongs to the day on which the bar opened; the holiday itself does not open in the evening."""
    hours = every_day(BERLIN, ((time(20), time(3)),), holidays="DE")
    assert add_open_time(hours, at(BERLIN, 2027, 1, 1, 1), 30) == at(BERLIN, 2027, 1, 1, 1, 30)
    assert add_open_time(hours, at(BERLIN, 2027, 1, 1, 2, 50), 30) == at(BERLIN, 2027, 1, 2, 20, 20)


def test_a_holiday_on_the_day_the_clocks_change() -> None:
    """Easter Sunday 2024 was the last of March: the night has 23 hours and the store stays shut."""
    hours = every_day(BERLIN, ((time(0), time(0)),), holidays="DE")
    # Good Friday 29 March and Easter Monday 1 April are holidays everywhere, the Sunday only in Brandenburg.
    brandenburg = every_day(BERLIN, ((time(0), time(0)),), holidays="DE-BB")
    start = at(BERLIN, 2024, 3, 30, 23, 50)
    assert add_open_time(hours, start, 30) == start + timedelta(minutes=30)
    assert add_open_time(brandenburg, start, 30) == at(BERLIN, 2024, 4, 2, 0, 20)


def test_a_closure_lies_over_the_deadline() -> None:
    hours = every_day(BERLIN, closed_from=date(2026, 11, 24), closed_until=date(2026, 12, 6))
    assert add_open_time(hours, at(BERLIN, 2026, 11, 23, 17, 50), 30) == at(BERLIN, 2026, 12, 7, 9, 20)
    assert not is_open(hours, at(BERLIN, 2026, 11, 24, 12)) and is_open(hours, at(BERLIN, 2026, 12, 7, 12))


def test_a_closure_outweighs_an_exception() -> None:
    exceptions = {date(2026, 12, 24): ((time(9), time(12)),)}
    hours = every_day(BERLIN, exceptions=exceptions, closed_from=date(2026, 12, 1), closed_until=date(2026, 12, 31))
    assert not is_open(hours, at(BERLIN, 2026, 12, 24, 10))


def test_a_closure_ends_while_the_clocks_change() -> None:
    hours = every_day(NEW_YORK, closed_from=date(2026, 10, 1), closed_until=date(2026, 10, 31))
    assert add_open_time(hours, at(NEW_YORK, 2026, 10, 31, 12), 30) == at(NEW_YORK, 2026, 11, 1, 9, 30)


@pytest.mark.parametrize(
    ("until", "basis"), [(None, CLOSED), (date(2027, 3, 1), CLOSED), (date(2026, 12, 24), ENTERED)]
)
def test_nobody_waits_for_a_store_that_stays_closed(until: date | None, basis: str) -> None:
    hours = every_day(BERLIN, closed_from=date(2026, 11, 1), closed_until=until)
    start = at(BERLIN, 2026, 11, 20, 12)
    due_at, found = deadline(hours, start, 30)
    assert found == basis
    assert (due_at == start + timedelta(minutes=30)) == (basis == CLOSED)


def test_no_hours_entered_stays_round_the_clock_but_for_what_was_said() -> None:
    hours = StoreHours(BERLIN, holidays="DE", closed_from=date(2026, 12, 27), closed_until=date(2026, 12, 27))
    assert add_open_time(hours, at(BERLIN, 2026, 12, 24, 23, 50), 30) == at(BERLIN, 2026, 12, 28, 0, 20)


@pytest.mark.django_db
def test_rule_and_closure_come_with_the_store(chain: Chain) -> None:
    store = make_store(node=chain.area, code="BE1", country="DE", time_zone="Europe/Berlin")
    assert hours_of(store).holidays == ""
    store.holiday_rule, store.subdivision, store.closed_from = HolidayRule.CLOSED, "DE-BE", date(2026, 12, 1)
    with CaptureQueriesContext(connection) as queries:
        hours = hours_of(store)
    assert (hours.holidays, hours.closed_from, hours.closed_until) == ("DE-BE", date(2026, 12, 1), None)
    assert len(queries) == 1


@pytest.mark.django_db
def test_what_is_edited_later_moves_no_clock(chain: Chain) -> None:
    ensure_defaults()
    case = open_case(chain.store)
    due_at = case.due_at
    Store.objects.filter(pk=chain.store.pk).update(closed_from=date(2020, 1, 1), closed_reason="Flood")
    HoursException.objects.create(store=chain.store, date=due_at.date())
    case.refresh_from_db()
    assert case.due_at == due_at
    # The next one is a case of a closed store: the clock runs at once, for the people above.
    chain.store.refresh_from_db()
    assert open_case(chain.store).hours_basis == CLOSED


def open_case(store: Store) -> Case:
    response = make_response(touchpoint=make_touchpoint(store=store), score=1, words="Terrible")
    response_saved.send(sender=Response, response=response, corrected=False)
    case = case_for_response(response.pk)
    assert case is not None
    return case


def test_holidays_cost_no_more_than_a_millisecond() -> None:
    hours = every_day(BERLIN, holidays="DE-BY")
    start = at(BERLIN, 2026, 12, 24, 17, 50)
    assert cpu_secs(lambda: [deadline(hours, start, 30) for _ in range(50)]) / 50 < 0.001

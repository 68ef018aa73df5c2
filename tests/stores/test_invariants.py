"""What the database itself refuses about stores, however a row gets there."""

from datetime import date, time
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from stores.choices import ChangeKind
from stores.models import ConfigChange, HoursException, OpeningInterval, Store
from tests.factories import Chain, make_store

WEEK = [
    ((0, "09:00", "13:00"), (0, "12:59", "18:00"), False),
    ((0, "09:00", "13:00"), (0, "13:00", "18:00"), True),
    ((0, "20:00", "02:00"), (1, "01:00", "05:00"), False),
    ((0, "20:00", "02:00"), (1, "02:00", "05:00"), True),
    # Sunday night runs into Monday morning.
    ((6, "22:00", "03:00"), (0, "02:00", "05:00"), False),
    ((6, "22:00", "03:00"), (0, "03:00", "05:00"), True),
    # Round the clock.
    ((2, "00:00", "00:00"), (2, "10:00", "11:00"), False),
    ((2, "00:00", "00:00"), (3, "00:00", "00:00"), True),
]


@pytest.mark.parametrize(("first", "second", "fits"), WEEK)
def test_stretches_of_a_week_do_not_overlap(
    chain: Chain, first: tuple[int, str, str], second: tuple[int, str, str], fits: bool
) -> None:
    store = make_store(node=chain.area, code="H", hours=None)

    def enter(stretch: tuple[int, str, str]) -> None:
        weekday, opens, closes = stretch
        OpeningInterval.objects.create(store=store, weekday=weekday, opens=opens, closes=closes)

    enter(first)
    if fits:
        enter(second)
    else:
        with pytest.raises(IntegrityError, match="stores_intervals_apart"), transaction.atomic():
            enter(second)


def test_the_hours_of_one_store_leave_the_others_alone(chain: Chain) -> None:
    """The neighbour in the index is the store with the next number."""
    for number in range(3):
        make_store(node=chain.area, code=f"R{number}")


def test_stretches_of_a_date_do_not_overlap(chain: Chain) -> None:
    def enter(day: int, opens: time | None, closes: time | None) -> None:
        HoursException.objects.create(store=chain.store, date=date(2026, 12, day), opens=opens, closes=closes)

    enter(24, time(20), time(2))
    enter(26, None, None)
    for day, opens in ((24, time(21)), (25, time(1))):
        with pytest.raises(IntegrityError, match="stores_exceptions_apart"), transaction.atomic():
            enter(day, opens, time(23))
    enter(25, time(2), time(23))


@pytest.mark.parametrize(
    "values",
    [
        {"country": "ua"},
        {"country": "DE", "subdivision": "UA-30"},
        {"public_review_url": "http://reviews.example/"},
        {"public_review_url": "javascript:alert(1)"},
        {"closed_until": date(2026, 1, 1)},
        {"closed_from": date(2026, 1, 2), "closed_until": date(2026, 1, 1)},
    ],
)
def test_a_store_that_makes_no_sense(chain: Chain, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Store.objects.filter(pk=chain.store.pk).update(**values)


def test_history_stays_as_it_was(chain: Chain) -> None:
    change = ConfigChange.objects.create(at=timezone.now(), kind=ChangeKind.CHANGED, what="store", store=chain.store)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ConfigChange.objects.filter(pk=change.pk).update(what="nothing")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        change.delete()

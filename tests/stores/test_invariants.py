"""What the database itself refuses about stores, however a row gets there."""

import re
from datetime import date, time
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from stores.choices import ChangeKind
from stores.models import ConfigChange, HoursException, Node, OpeningInterval, Store
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


def test_codes_from_before_that_differ_only_by_case_are_named_with_a_way_out(chain: Chain) -> None:
    codes_whatever_case = import_module("stores.migrations.0013_codes_whatever_case")
    rules = [rule for model in (Node, Store) for rule in model._meta.constraints if "whatever_case" in rule.name]
    codes_whatever_case.refuse_twins(apps, None)
    with connection.schema_editor() as editor:
        for model, rule in zip((Node, Store), rules, strict=True):
            editor.remove_constraint(model, rule)
    for code in ("ky1", "Ky1", "a" * 20, "A" * 20):
        make_store(node=chain.area, code=code)
    Node.objects.create(code=chain.area.code.swapcase(), kind=chain.area.kind, name="Twin", parent=chain.root)
    with pytest.raises(CommandError) as refused:
        codes_whatever_case.refuse_twins(apps, None)
    said = str(refused.value)
    assert f"“KY1” ({chain.store.name}), “ky1”" in said and f"“{chain.area.code}” ({chain.area.name})" in said
    with connection.cursor() as cursor:
        for statement in re.findall("UPDATE .*;", said):
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    codes_whatever_case.refuse_twins(apps, None)
    with connection.schema_editor() as editor:
        for model, rule in zip((Node, Store), rules, strict=True):
            editor.add_constraint(model, rule)
    assert set(Store.objects.filter(code__iregex="^(ky1|a)").values_list("code", flat=True)) == {
        *("KY1", "ky1-2", "Ky1-3", "a" * 20, "A" * 18 + "-2")
    }
    assert Store.objects.filter(search_text__contains="ky1-3").exists()

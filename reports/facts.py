"""Counting a store's days into cells. Everything is counted again from the raw rows, so it may run at any time."""

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from alerts.choices import CaseState
from reports.call_cells import count_calls
from reports.explorer_rows import refresh_days
from reports.models import StoreDay
from reports.sums import COUNTS, SOURCE, sum_above, sum_store_weeks
from surveys.choices import PROMOTER_AT_LEAST, STAFF_FLAG, UNHAPPY_AT_MOST, QuestionKind
from surveys.counting import NO_ANSWERS, marks_left_out
from surveys.queries import BY_A_PHONE

# Responses that staff gave themselves stay out of every figure but their own.
_LOCK_CLASS = 0x48484641

# Counts the wanted `stores` and `days`.
COUNT = (Path(__file__).parent / "count_days.sql").read_text()
_STORE = f"INSERT INTO {StoreDay._meta.db_table} ({', '.join(('store_id', 'local_day', *SOURCE, *COUNTS))}) {COUNT}"


def count_values() -> dict[str, Any]:
    """What the query is told beside the store days."""
    return {
        "staff": STAFF_FLAG,
        "no_answer": list(NO_ANSWERS),
        "left_out": marks_left_out(),
        "by_a_phone": BY_A_PHONE,
        "nps": QuestionKind.NPS,
        "promoter": PROMOTER_AT_LEAST[QuestionKind.NPS],
        "detractor": UNHAPPY_AT_MOST[QuestionKind.NPS],
        "confirmed": CaseState.CONFIRMED,
        "unconfirmed": CaseState.UNCONFIRMED,
    }


def lock_store(store_id: int) -> None:
    """Let nobody else count this store until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, store_id])


def count_days(days: Collection[tuple[int, date]], *, above: bool = True) -> None:
    """Count the cells of these (store id, local day) pairs again, in the caller's transaction, and all sums of them.

    Takes a lock per store before it reads, so that of two counts at the same moment the later one sees what the
    earlier one saw, and more. Without `above` the sums of nodes stay as they are: the caller sees to them.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Counting and what it is counted for belong into one transaction.")
    pairs = sorted(set(days))
    stores, local_days = [store for store, _ in pairs], [day for _, day in pairs]
    with connection.cursor() as cursor:
        for store in sorted(set(stores)):
            lock_store(store)
        cursor.execute(
            f"DELETE FROM {StoreDay._meta.db_table} d"  # noqa: S608  (our own table's name)
            " USING unnest(%s::bigint[], %s::date[]) AS w(store_id, local_day)"
            " WHERE d.store_id = w.store_id AND d.local_day = w.local_day",
            [stores, local_days],
        )
        cursor.execute(_STORE, count_values() | {"stores": stores, "days": local_days})
    refresh_days(pairs)
    count_calls(pairs)
    sum_store_weeks(pairs)
    if above:
        sum_above(pairs)


def count_store(store_id: int) -> int:
    """Count all days of a store again, in one transaction; returns how many there were."""
    with transaction.atomic():
        lock_store(store_id)
        days = days_known([store_id], date(1, 1, 1), date(9999, 1, 1))
        count_days(days)
    return len(days)


def days_known(stores: Sequence[int], first: date, last: date) -> list[tuple[int, date]]:
    """The (store id, local day) pairs from `first` to `last` that have responses, calls or cells."""
    values: dict[str, Any] = {"stores": list(stores), "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT store_id, local_day FROM surveys_response"
            " WHERE store_id = ANY(%(stores)s) AND local_day BETWEEN %(first)s AND %(last)s"
            " UNION SELECT store_id, local_day FROM reports_storeday"
            " WHERE store_id = ANY(%(stores)s) AND local_day BETWEEN %(first)s AND %(last)s"
            " UNION SELECT store_id, monday FROM reports_storeweek"
            " WHERE store_id = ANY(%(stores)s) AND monday BETWEEN %(first)s AND %(last)s"
            # Of calls that nobody answered, too: how many were asked is counted by day.
            " UNION SELECT c.store_id, (c.ended_at AT TIME ZONE s.time_zone)::date FROM surveys_call c"
            " JOIN stores_store s ON s.id = c.store_id WHERE c.store_id = ANY(%(stores)s)"
            " AND c.ended_at >= %(first)s::timestamp AT TIME ZONE s.time_zone"
            " AND c.ended_at < (%(last)s + 1)::timestamp AT TIME ZONE s.time_zone",
            values,
        )
        found: list[tuple[int, date]] = cursor.fetchall()
    return found

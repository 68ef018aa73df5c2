"""Counting every cell again from the raw rows, week by week, the newest first.

By week and not by store, so that what is read together lies together on disk. Each step is a transaction of its own;
shoppers, the work loop and readers go on meanwhile.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction
from django.utils import timezone

from reports.asking_cells import count_week as count_asked
from reports.facts import count_days, days_known, lock_store
from reports.models import (
    AgentWeek,
    AskedNodeWeek,
    AskedWeek,
    ExplorerRow,
    NodeDay,
    NodeWeek,
    QueueDay,
    Rebuild,
    StoreDay,
    StoreSpan,
    StoreWeek,
    TrafficSpan,
)
from reports.sums import sum_all_nodes, sum_store_spans
from reports.traffic import sum_spans
from stores.models import Store

# Stores whose week is counted in one transaction: less than a second's work.
STORES_AT_ONCE = 500
# All that counting writes.
_COUNTED = (
    StoreDay,
    StoreWeek,
    StoreSpan,
    NodeDay,
    NodeWeek,
    ExplorerRow,
    AgentWeek,
    QueueDay,
    AskedWeek,
    AskedNodeWeek,
    TrafficSpan,
)


@dataclass(frozen=True)
class Progress:
    """So many weeks of `total` are done; `days` are the store days counted in the last one, `monday`."""

    done: int
    total: int
    monday: date
    days: int


def rebuild(*, anew: bool = False) -> Iterator[Progress]:
    """Count everything. Goes on after the last finished week of a rebuild that was stopped, unless `anew`."""
    run = None if anew else Rebuild.objects.filter(finished_at=None).order_by("-pk").first()
    if run is None:
        run = Rebuild.objects.create(weeks=[monday.isoformat() for monday in weeks_of_rows()])
    stores = list(Store.objects.order_by("pk").values_list("pk", flat=True))
    while run.done < len(run.weeks):
        monday = date.fromisoformat(run.weeks[run.done])
        turns = range(0, len(stores), STORES_AT_ONCE)
        days = sum(count_week(stores[begin : begin + STORES_AT_ONCE], monday) for begin in turns)
        with transaction.atomic():
            sum_all_nodes(monday)
            count_asked(monday)
            run.done += 1
            run.save(update_fields=["done"])
        yield Progress(run.done, len(run.weeks), monday, days)
    renew_statistics()
    run.finished_at = timezone.now()
    run.save(update_fields=["finished_at"])


def renew_statistics() -> None:
    """Tell the planner how much there is now, and which pages of a table an index may answer for: it may believe that
    the tables are as empty as they were, and a ranking of all stores would read three times as long.

    One table after the other, and each lets shoppers, the work loop and readers go on. It waits for what changes or
    cleans up a table, as a migration does.
    """
    # Within a transaction, as that of a test, nothing can be cleaned up.
    do = "ANALYZE" if connection.in_atomic_block else "VACUUM (ANALYZE)"
    with connection.cursor() as cursor:
        for model in _COUNTED:
            cursor.execute(f"{do} {model._meta.db_table}")


def count_week(stores: Sequence[int], monday: date) -> int:
    """Count a week of these stores, without the nodes above; returns how many store days there were."""
    with transaction.atomic():
        for store in sorted(stores):
            lock_store(store)
        days = days_known(stores, monday, monday + timedelta(days=6))
        count_days(days, above=False)
        # Also of stores in which nothing is left to be counted.
        sum_store_spans((store, monday) for store in stores)
        sum_spans((store, monday) for store in stores)
    return len(days)


def weeks_of_rows() -> list[date]:
    """Every Monday from the first response, call or cell to the last, newest first."""
    with connection.cursor() as cursor:
        # The first and last of each store are looked up; the first of all would be a walk through all responses.
        cursor.execute(
            "SELECT date_trunc('week', min(e.first))::date, date_trunc('week', max(e.last))::date FROM ("
            " SELECT r.* FROM stores_store s CROSS JOIN LATERAL ("
            " SELECT min(local_day) AS first, max(local_day) AS last FROM surveys_response WHERE store_id = s.id"
            " UNION ALL SELECT (min(ended_at) AT TIME ZONE s.time_zone)::date,"
            " (max(ended_at) AT TIME ZONE s.time_zone)::date FROM surveys_call WHERE store_id = s.id) r"
            " UNION ALL SELECT min(local_day), max(local_day) FROM reports_storeday"
            " UNION ALL SELECT min(monday), max(monday) FROM reports_storeweek"
            # One of the weeks of each span is enough.
            " UNION ALL SELECT min(start) + 21, max(start) FROM reports_storespan"
            " UNION ALL SELECT min(monday), max(monday) FROM reports_nodeweek) e"
        )
        first, last = cursor.fetchone()
    if first is None:
        return []
    return [last - timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]

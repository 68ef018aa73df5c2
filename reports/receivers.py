"""Connects this room to the signals above it."""

from datetime import date, datetime
from typing import Any

from django.dispatch import receiver

from alerts.models import Case
from alerts.signals import case_changed
from core.leases import ClockNow
from core.quick import insert_soon
from reports import work  # noqa: F401  (registers its step with the work loop)
from reports.asking_cells import tree_changed
from reports.models import StaleMark, StaleSum
from sentiment.models import Analysis
from sentiment.signals import reading_corrected, readings_replaced, verbatim_analysed
from stores.signals import stores_moved
from surveys.models import Response
from surveys.signals import days_changed, response_erased, response_saved


def mark_stale(response: Response, *, at: datetime | None = None) -> None:
    """Have the response's day counted again, now or `at` that time, if the caller's transaction commits."""
    insert_soon([_mark(response, at or ClockNow())])


def _mark(response: Response, at: datetime | ClockNow) -> StaleMark:
    return StaleMark(store_id=response.store_id, local_day=response.local_day, run_at=at)


@receiver(response_saved)
def count_response(sender: object, response: Response, **_: Any) -> None:
    mark_stale(response)


@receiver(response_erased)
def count_without_words(sender: object, response: Response, **_: Any) -> None:
    """Erasing leaves what is counted; the day is counted again all the same, so that nobody need know that here."""
    mark_stale(response)


@receiver(days_changed)
def count_days_again(sender: object, days: set[tuple[int, date]], **_: Any) -> None:
    insert_soon([StaleMark(store_id=store, local_day=day, run_at=ClockNow()) for store, day in sorted(days)])


@receiver([verbatim_analysed, reading_corrected])
def count_reading(sender: object, analysis: Analysis, **_: Any) -> None:
    mark_stale(analysis.verbatim.response)


@receiver(readings_replaced)
def count_days_of(sender: object, analyses: list[Analysis], **_: Any) -> None:
    days = {(one.verbatim.response.store_id, one.verbatim.response.local_day) for one in analyses}
    StaleMark.objects.bulk_create(
        [StaleMark(store_id=store, local_day=day, run_at=ClockNow()) for store, day in sorted(days)]
    )


@receiver(case_changed)
def count_case(sender: object, case: Case, **_: Any) -> None:
    """Count the case's day now, and once more when its thirty minutes are over: then silence counts as not tried."""
    # The second mark is left when the case is opened, and stays until then; a later clock is not what shares are about.
    later = [_mark(case.response, case.due_at)] if case.version == 1 else []
    insert_soon([_mark(case.response, ClockNow()), *later])


@receiver(stores_moved)
def sum_nodes_again(sender: object, nodes: set[int], **_: Any) -> None:
    """Reports follow today's tree: all weeks of whatever lost or gained stores are summed again."""
    StaleSum.objects.bulk_create([StaleSum(node_id=pk, run_at=ClockNow()) for pk in sorted(nodes)])
    tree_changed()

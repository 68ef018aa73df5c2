"""The counting step of the work loop: stale marks in, fresh cells out."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from core.leases import Claim, ClockNow, claim, finish, from_now, retry_delay
from core.work import register_step, register_watch
from reports.facts import count_days
from reports.models import StaleMark, StaleSum
from reports.sums import sum_weeks_of_nodes, weeks_known

log = structlog.get_logger()
# The busier it is the more marks are taken at once: many are of the same day, and nodes are summed once for all.
BATCH = 2000
# Weeks of nodes that are summed at once: a second's work at most.
SUMS = 30
LEASE = timedelta(seconds=60)
PATIENCE_SECS = 60

Day = tuple[int, date]
Mark = TypeVar("Mark", StaleMark, StaleSum)


def count_due() -> int:
    """Count the days of a batch of marks again; returns how many marks were taken."""
    claims = claim(StaleMark.objects.filter(run_at__isnull=False), limit=BATCH, lease=LEASE)
    marks: dict[Day, list[Claim[StaleMark]]] = defaultdict(list)
    for one in claims:
        marks[one.row.store_id, one.row.local_day].append(one)
    if not marks:
        return 0
    try:
        _count(marks)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # one day that cannot be counted must not hold up the others
        for day, of_day in marks.items():
            try:
                _count({day: of_day})
            except (OperationalError, InterfaceError):
                raise
            except Exception as error:
                _step_aside(of_day, error)
    return len(claims)


def _count(marks: dict[Day, list[Claim[StaleMark]]]) -> None:
    held = [one for of_day in marks.values() for one in of_day]
    with transaction.atomic():
        count_days(marks.keys())
        _drop(held)


def _step_aside(marks: list[Claim[StaleMark]], error: Exception) -> None:
    log.error("day not counted", store=marks[0].row.store_id, day=str(marks[0].row.local_day), error=repr(error))
    for one in marks:
        finish(one, run_at=from_now(retry_delay(one.row.attempts)))


def sum_due() -> int:
    """Sum a batch of weeks of nodes whose stores have changed, the newest first; returns how many marks were taken."""
    claims = claim(StaleSum.objects.filter(run_at__isnull=False), limit=SUMS, lease=LEASE, order=("run_at", "-monday"))
    whole = [one for one in claims if one.row.monday is None]
    if whole:
        _take_apart(whole)
    _sum([one for one in claims if one.row.monday is not None])
    return len(claims)


def _take_apart(held: list[Claim[StaleSum]]) -> None:
    """From now on a mark for each week."""
    with transaction.atomic():
        weeks = weeks_known()
        StaleSum.objects.bulk_create(
            StaleSum(node_id=one.row.node_id, monday=monday, run_at=ClockNow()) for one in held for monday in weeks
        )
        _drop(held)


def _sum(held: list[Claim[StaleSum]]) -> None:
    if held:
        with transaction.atomic():
            sum_weeks_of_nodes({(one.row.node_id, one.row.monday) for one in held if one.row.monday})
            _drop(held)


def _drop(held: Sequence[Claim[Mark]]) -> None:
    """A mark whose lease has passed on stays for its new holder; counting twice does no harm."""
    model = type(held[0].row)
    marks = model._default_manager.filter(pk__in=[one.row.pk for one in held])
    marks.filter(lease_token__in={one.token for one in held}).delete()


def count_overdue(patience_secs: int) -> int:
    """Marks waiting for longer than `patience_secs`, or that failed three times and more."""
    late = Q(run_at__lt=from_now(-timedelta(seconds=patience_secs))) | Q(attempts__gte=3)
    return StaleMark.objects.filter(late).count() + StaleSum.objects.filter(late).count()


register_step("facts", "count store days", count_due)
register_step("facts", "sum weeks of nodes", sum_due)
register_watch("reports behind", PATIENCE_SECS, count_overdue)

"""The counting step of the work loop: stale marks in, fresh cells out."""

from collections import defaultdict
from datetime import date, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction

from core.leases import Claim, claim, finish, from_now, retry_delay
from core.work import register_step, register_watch
from reports.facts import count_days
from reports.models import StaleMark

log = structlog.get_logger()
BATCH = 500
LEASE = timedelta(seconds=60)
PATIENCE_SECS = 60

Day = tuple[int, date]


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
        # A mark whose lease has passed on stays for its new holder; counting twice does no harm.
        StaleMark.objects.filter(
            pk__in=[one.row.pk for one in held], lease_token__in={one.token for one in held}
        ).delete()


def _step_aside(marks: list[Claim[StaleMark]], error: Exception) -> None:
    log.error("day not counted", store=marks[0].row.store_id, day=str(marks[0].row.local_day), error=repr(error))
    for one in marks:
        finish(one, run_at=from_now(retry_delay(one.row.attempts)))


def count_overdue(patience_secs: int) -> int:
    """Marks waiting for longer than `patience_secs`, or that failed three times and more."""
    limit = from_now(-timedelta(seconds=patience_secs))
    waiting = StaleMark.objects.filter(run_at__lt=limit)
    return (waiting | StaleMark.objects.filter(attempts__gte=3)).count()


register_step("facts", "count store days", count_due)
register_watch("reports behind", PATIENCE_SECS, count_overdue)

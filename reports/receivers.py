"""Connects this room to the signals above it."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from alerts.models import Case
from alerts.signals import case_changed
from core.leases import ClockNow
from reports import work  # noqa: F401  (registers its step with the work loop)
from reports.models import StaleMark
from sentiment.models import Analysis
from sentiment.signals import verbatim_analysed
from surveys.models import Response
from surveys.signals import response_saved


def mark_stale(response: Response, *, at: datetime | None = None) -> None:
    """Have the response's day counted again, now or `at` that time, if the caller's transaction commits."""
    StaleMark.objects.create(store_id=response.store_id, local_day=response.local_day, run_at=at or ClockNow())


@receiver(response_saved)
def count_response(sender: object, response: Response, **_: Any) -> None:
    mark_stale(response)


@receiver(verbatim_analysed)
def count_reading(sender: object, analysis: Analysis, **_: Any) -> None:
    mark_stale(analysis.verbatim.response)


@receiver(case_changed)
def count_case(sender: object, case: Case, **_: Any) -> None:
    """Count the case's day now, and once more when its thirty minutes are over: then silence counts as not tried."""
    response = case.response
    mark_stale(response)
    # A reopened case runs on a new clock; the shares are about the first one.
    due_at = case.first_due_at or case.due_at
    if due_at > timezone.now():
        days_marks = StaleMark.objects.filter(store_id=response.store_id, local_day=response.local_day)
        if not days_marks.filter(run_at=due_at).exists():
            mark_stale(response, at=due_at)

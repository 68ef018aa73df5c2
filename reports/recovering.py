"""Which shoppers scored again after their case: what recovery counts, and whose words are found by it."""

from datetime import UTC, date, datetime, time, timedelta

from django.db.models import QuerySet

from alerts.models import Verification
from surveys.counting import left_out


def scored_again(first: date, last: date) -> QuerySet[Verification]:
    """The later scores of these days, which are those of UTC, beside first scores that count."""
    since, until = midnight(first), midnight(last) + timedelta(days=1)
    found = Verification.objects.filter(scored_at__gte=since, scored_at__lt=until)
    return (
        found.exclude(score=None).exclude(case__response__score=None).exclude(left_out("case__response__")).order_by()
    )


def midnight(day: date) -> datetime:
    """Where the day begins in UTC."""
    return datetime.combine(day, time.min, UTC)

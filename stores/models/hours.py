"""When a store is open: weekly hours and the dates on which they do not hold."""

from django.db import models
from django.db.models import Q

from stores.models.tree import Store


class OpeningInterval(models.Model):
    """A stretch of a weekday on which the store is open, in its own time.

    `closes` at or before `opens` means the next day; 00:00 to 00:00 is round the clock. A store without any interval
    counts as always open, flagged as "no hours entered".
    """

    # No index of its own, here as below: the constraint's begins with it.
    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="opening_intervals")
    weekday = models.PositiveSmallIntegerField(help_text="Monday is 0.")
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="interval_weekday"),
            models.UniqueConstraint(fields=["store", "weekday", "opens"], name="interval_once"),
        ]

    def __str__(self) -> str:
        return f"{self.weekday} {self.opens:%H:%M}–{self.closes:%H:%M}"


class HoursException(models.Model):
    """A local date on which the weekly hours do not hold: closed (no times), or open at other times."""

    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="hours_exceptions")
    date = models.DateField()
    opens = models.TimeField(null=True, blank=True)
    closes = models.TimeField(null=True, blank=True)
    reason = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "date", "opens"], name="exception_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(opens=None, closes=None) | Q(opens__isnull=False, closes__isnull=False),
                name="exception_both_times_or_none",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.opens or 'closed'}"

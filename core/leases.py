"""Work that is a row: claimed for a while by one worker, finished only by whoever holds the claim.

A worker that dies leaves its lease behind; once it runs out another takes the row, and the dead one's token no
longer fits, so a late finish changes nothing. All times are the database's own clock.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import CombinedExpression, Value
from django.db.models.functions import Least, Now


class ClockNow(Now):
    """The database's moment of this statement, not of the start of the transaction.

    Not `clock_timestamp()`, which may change between two rows, so that no index can be searched for it: a poll would
    walk everything that is not due yet.
    """

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="STATEMENT_TIMESTAMP()", **extra)


def from_now(delay: timedelta) -> CombinedExpression:
    """The database's moment, and `delay` more (or, when negative, less)."""
    return CombinedExpression(ClockNow(), "+", Value(delay))


class Leased(models.Model):
    """The columns of a row that is work to do.

    `run_at` says when it is due and is None when nothing is left to do; `lease_token` and `lease_until` say who
    works on it; `attempts` counts claims and is committed before the work begins.
    """

    run_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=Leased)
# The counter stands still here: work that is broken for weeks must not count itself out of its column.
MOST_ATTEMPTS = 1000


@dataclass(frozen=True)
class Claim(Generic[Row]):
    """A row, the token that lets its holder finish it, and the database's moment at which it was claimed."""

    row: Row
    token: uuid.UUID
    at: datetime


def due(rows: QuerySet[Row]) -> QuerySet[Row]:
    """The rows that may be claimed now."""
    return rows.filter(run_at__lte=ClockNow()).filter(Q(lease_until=None) | Q(lease_until__lt=ClockNow()))


def claim(
    rows: QuerySet[Row], *, limit: int, lease: timedelta, order: tuple[str, ...] = ("run_at",)
) -> list[Claim[Row]]:
    """Take up to `limit` due rows for `lease`; two workers never get the same one.

    The claim is committed before it returns, with its attempt counted: nobody holds a lock while working.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        ids = list(
            due(rows.select_related(None))
            .order_by(*order)
            .select_for_update(skip_locked=True, of=("self",))
            .values_list("pk", flat=True)[:limit]
        )
        if not ids:
            return []
        rows.model._default_manager.filter(pk__in=ids).update(
            lease_token=token, lease_until=from_now(lease), attempts=Least(F("attempts") + 1, MOST_ATTEMPTS)
        )
    again = rows.model._default_manager.filter(pk__in=ids).order_by(*order)
    again.query.select_related = rows.query.select_related
    taken: list[Row] = list(again.annotate(claimed_at=ClockNow()))
    return [Claim(row, token, row.__dict__.pop("claimed_at")) for row in taken]


def finish(claimed: Claim[Row], **changes: Any) -> bool:
    """End the work on a row: nothing is left to do unless `changes` sets a new `run_at`.

    Returns False, and changes nothing, when the lease has passed to somebody else. Call it inside the transaction
    that holds the work's own effects, and roll that back when it returns False.
    """
    values = {"run_at": None, "lease_token": None, "lease_until": None} | changes
    model = type(claimed.row)
    return bool(model._default_manager.filter(pk=claimed.row.pk, lease_token=claimed.token).update(**values))


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after the attempt numbered `attempts`: 2, 8, 32, 128, then 512 seconds."""
    return timedelta(seconds=2 * 4 ** min(max(attempts - 1, 0), 4))


class LeaseLost(Exception):
    """Another worker has taken the row over; whatever was about to be written must not be."""

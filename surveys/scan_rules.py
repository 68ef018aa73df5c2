"""Which scans of a touchpoint look unlike shoppers in the store: a sticker that was moved, or staff scanning.

Two rules, by the counts of whole hours:

- **Closed**: CLOSED_LEAST scans or more within one closed time of the store, an hour after closing to an hour before
  opening, counting only hours that lie in it wholly. Not for receipts and calls, which people take home, and not where
  no hours were entered.
- **Burst**: an hour with BURST_LEAST scans or more, and more than BURST_TIMES the usual. The usual is the median of the
  touchpoint's hours with scans in the four weeks before; where fewer than KNOWN_HOURS are known, ASSUMED_USUAL.

A flag says "look at this", not "this is fraud": a shop window at night is scanned honestly too. Answers of the time are
marked and kept.
"""

from datetime import datetime, time, timedelta
from statistics import median

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Func, Q, QuerySet, Sum, Value
from django.utils import timezone

from stores.choices import TouchpointKind
from stores.models import Touchpoint, User
from stores.opening import StoreHours, hours_of, open_spans
from surveys.choices import UNUSUAL_SCANS, ScanFlagKind
from surveys.models import Response, ScanFlag, ScanHour
from surveys.scans import HOUR
from surveys.signals import days_changed

log = structlog.get_logger()
CLOSED_MARGIN = timedelta(hours=1)
CLOSED_LEAST = 5
BURST_LEAST = 20
BURST_TIMES = 5
KNOWN_HOURS = 10
ASSUMED_USUAL = 4.0
USUAL_OVER = timedelta(days=28)
# Taken home, or heard on the telephone: at any hour of the day.
ANYWHERE = {TouchpointKind.RECEIPT, TouchpointKind.CALL}
# An hour is judged once the counts of every process must have come in.
SETTLED_AFTER = timedelta(minutes=5)
_BATCH = 100
RETRY_AFTER = timedelta(hours=1)
# A closed time longer than this is judged by local days.
_LONGEST_NIGHT = timedelta(hours=36)


def judge_hours() -> int:
    """Look at hours that are over and whose counts are new. Returns how many.

    One that cannot be judged steps aside, and is tried again later.
    """
    now = timezone.now()
    due = Q(judge_after=None) | Q(judge_after__lte=now)
    with transaction.atomic():
        rows = list(
            ScanHour.objects.filter(due, judged=False, hour__lte=now - HOUR - SETTLED_AFTER)
            .select_related("touchpoint__store")
            .order_by("hour")
            .select_for_update(skip_locked=True, of=("self",))[:_BATCH]
        )
        judged = {row.pk for row in rows if _is_judged(row)}
        failed = {row.pk for row in rows} - judged
        ScanHour.objects.filter(pk__in=judged).update(judged=True, judge_after=None)
        ScanHour.objects.filter(pk__in=failed).update(judge_after=now + RETRY_AFTER)
    return len(rows)


def _is_judged(row: ScanHour) -> bool:
    """Judge one hour; False, with nothing of it kept, if that cannot be done."""
    try:
        with transaction.atomic():
            _judge(row)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # whatever the hours and holidays of one store may throw
        log.exception("scans cannot be judged", scan_hour=row.pk, touchpoint=row.touchpoint_id)
        return False
    return True


def count_unjudged(patience_secs: int) -> int:
    """Hours that nobody has looked at for this long after they could have been; what was tried is in the log."""
    limit = timezone.now() - HOUR - SETTLED_AFTER - timedelta(seconds=patience_secs)
    return ScanHour.objects.filter(judged=False, judge_after=None, hour__lte=limit).count()


def _judge(row: ScanHour) -> None:
    if not row.scans:
        return
    touchpoint = row.touchpoint
    if touchpoint.kind not in ANYWHERE and not (hours := hours_of(touchpoint.store)).assumed:
        _judge_closed(row, hours)
    if row.scans >= BURST_LEAST:
        usual = usual_of(touchpoint, row.hour)
        if row.scans > BURST_TIMES * usual:
            _flag(touchpoint, ScanFlagKind.BURST, row.hour, row.hour + HOUR, row.scans, usual)


def _judge_closed(row: ScanHour, hours: StoreHours) -> None:
    window = closed_time(hours, row.hour)
    if window is None:
        return
    began, ended = window
    within = ScanHour.objects.filter(touchpoint=row.touchpoint_id, hour__gte=began, hour__lte=ended - HOUR)
    scans = within.aggregate(sum=Sum("scans"))["sum"] or 0
    if scans >= CLOSED_LEAST:
        _flag(row.touchpoint, ScanFlagKind.CLOSED, began, ended, scans, None)


def closed_time(hours: StoreHours, hour: datetime) -> tuple[datetime, datetime] | None:
    """The closed time, margins taken off, in which the hour lies wholly; None if the store is or may be open then."""
    around = open_spans(hours, hour - CLOSED_MARGIN, hour + HOUR + CLOSED_MARGIN)
    if next(around, None) is not None:
        return None
    before = [until for _begin, until in open_spans(hours, hour - _LONGEST_NIGHT, hour)]
    after = next(open_spans(hours, hour, hour + _LONGEST_NIGHT), None)
    day = hour.astimezone(hours.zone).date()
    midnight = datetime.combine(day, time(0), hours.zone)
    next_midnight = datetime.combine(day + timedelta(days=1), time(0), hours.zone)
    if not before or after is None:
        # Closed for days: each day is a time of its own, as far as it is closed.
        began = max([midnight, *(until + CLOSED_MARGIN for until in before)])
        return began, min([next_midnight, *([after[0] - CLOSED_MARGIN] if after else [])])
    return before[-1] + CLOSED_MARGIN, after[0] - CLOSED_MARGIN


def usual_of(touchpoint: Touchpoint, hour: datetime) -> float:
    """How many scans an hour with any usually brings there, as known before that hour."""
    known = ScanHour.objects.filter(
        touchpoint=touchpoint, hour__lt=hour, hour__gte=hour - USUAL_OVER, scans__gt=0
    ).values_list("scans", flat=True)
    scans = list(known)
    return float(median(scans)) if len(scans) >= KNOWN_HOURS else ASSUMED_USUAL


def _flag(
    touchpoint: Touchpoint, kind: ScanFlagKind, began: datetime, ended: datetime, scans: int, usual: float | None
) -> None:
    """Keep or update the flag, and mark the answers of its time unless a person has dismissed it."""
    flag, _created = ScanFlag.objects.update_or_create(
        touchpoint=touchpoint,
        kind=kind,
        began_at=began,
        defaults={"ended_at": ended, "scans": scans, "usual": usual},
        create_defaults={"ended_at": ended, "scans": scans, "usual": usual, "found_at": timezone.now()},
    )
    if flag.dismissed_at is None:
        _mark(_answers_of(flag).exclude(flags__contains=[UNUSUAL_SCANS]), "array_append")


def _mark(answers: QuerySet[Response], how: str) -> None:
    """Put the mark on answers, or take it off; figures that count by it change."""
    days = set(answers.values_list("store_id", "local_day"))
    answers.update(flags=Func(F("flags"), Value(UNUSUAL_SCANS), function=how))
    if days:
        days_changed.send(sender=Response, days=days)


def _answers_of(flag: ScanFlag) -> QuerySet[Response]:
    return Response.objects.filter(
        touchpoint=flag.touchpoint_id, submitted_at__gte=flag.began_at, submitted_at__lt=flag.ended_at
    )


@transaction.atomic
def dismiss(flag: ScanFlag, *, actor: User, reason: str) -> bool:
    """Say that these scans need no attention, and why: their answers lose the mark. False if somebody did already."""
    found = ScanFlag.objects.select_for_update(of=("self",)).get(pk=flag.pk)
    if found.dismissed_at is not None:
        return False
    found.dismissed_at, found.dismissed_by, found.reason = timezone.now(), actor, reason
    found.save(update_fields=["dismissed_at", "dismissed_by", "reason"])
    answers = _answers_of(found).filter(flags__contains=[UNUSUAL_SCANS])
    for other in ScanFlag.objects.filter(
        touchpoint=found.touchpoint_id,
        dismissed_at=None,
        began_at__lt=found.ended_at,
        ended_at__gt=found.began_at,
    ):
        answers = answers.exclude(submitted_at__gte=other.began_at, submitted_at__lt=other.ended_at)
    _mark(answers, "array_remove")
    return True

"""The reading step of the work loop: verbatims in, `Analysis` rows filled."""

import time
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from core.leases import Claim, ClockNow, LeaseLost, claim, finish, from_now, retry_delay
from core.quick import Compiled
from core.work import background, register_step, register_watch
from sentiment.files import ModelMissing
from sentiment.holding import columns_of, judgement_of, overruled
from sentiment.keeping import installed, keep, name_of, place_of
from sentiment.models import Analysis, ServedModel
from sentiment.queries import count_overdue
from sentiment.reading import Reader, hold_reader, live_reader, readings_of, settled_reader
from sentiment.signals import verbatim_analysed
from surveys.models import Verbatim

if TYPE_CHECKING:
    from sentiment.engine import Reading

log = structlog.get_logger()
BATCH = 32
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 5
PATIENCE_SECS = 60
MODEL_PATIENCE = timedelta(seconds=20)
# How long a model that could not be had is not asked for again.
_MISSED_SECS = 60
# When this process asks again for a model that it missed, by its name; and looks again whether its own is kept.
_missed: dict[str, float] = {}
_look_again = 0.0
_keeping = Lock()


def read_due() -> int:
    """Read a batch of fresh verbatims and one that failed before; returns how many were taken.

    What failed once is read alone, so that a text that kills its worker takes no other along.
    """
    pending = Analysis.objects.filter(run_at__isnull=False)
    order = ("priority", "run_at")
    fresh = claim(pending.filter(attempts=0), limit=BATCH, lease=LEASE, order=order)
    if fresh:
        _read(fresh)
    suspect = claim(pending.filter(attempts__gt=0), limit=1, lease=LEASE, order=order)
    if suspect:
        _read(suspect)
    return len(fresh) + len(suspect)


def _read(claims: list[Claim[Analysis]]) -> None:
    exhausted = [one for one in claims if one.row.attempts > MAX_ATTEMPTS]
    for one in exhausted:
        finish(one, last_error="its worker died every time")
    claims = [one for one in claims if one not in exhausted]
    if not claims:
        return
    verbatims = Verbatim.objects.select_related("response__store__node").in_bulk([one.row.pk for one in claims])
    try:
        reader = settled_reader()
        readings = _asked_of_service(_readings([verbatims[one.row.pk] for one in claims], reader))
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever a model may throw; the rows step aside and are tried alone
        for one in claims:
            _step_aside(one, error)
        return
    for one, reading in zip(claims, readings, strict=True):
        try:
            _store(one, reading, reader)
        except LeaseLost:
            log.info("reading discarded: its words changed or another worker took over", analysis=one.row.pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # a receiver below failed: nothing of this reading was stored
            _step_aside(one, error)


def _readings(verbatims: list[Verbatim], reader: Reader) -> "list[Reading]":
    """By what is live; where that cannot be had, by what is installed, for no words wait for it: their rows tell."""
    others = [name for name in dict.fromkeys(map(name_of, installed())) if name not in ("", reader.model)]
    tried = [Reader(name, reader.heads) for name in others]
    if not tried or time.monotonic() >= _missed.get(reader.model, 0.0):
        tried.insert(0, reader)
    for one in tried:
        try:
            readings = readings_of(verbatims, one)
        except ModelMissing as error:
            log.error("a model cannot be had", model=one.model, reason=str(error))
            continue
        if one != reader:
            _note_missed(reader.model)
        return readings
    raise ModelMissing("neither what is live nor what is installed can be had")


def _note_missed(name: str) -> None:
    """For head office, once a while."""
    if time.monotonic() >= _missed.get(name, 0.0):
        ServedModel.objects.update_or_create(name=name, defaults={"missed_at": ClockNow()})
        _missed[name] = time.monotonic() + _MISSED_SECS


def keep_installed() -> int:
    """Have every node find the files that this one is installed with, and a first model live; 0, for no row is due."""
    global _look_again
    if not settings.MODEL_KEEP_SECS or time.monotonic() < _look_again:
        return 0
    _look_again = time.monotonic() + settings.MODEL_KEEP_SECS
    threads = background()
    if threads is not None:
        # Seconds, the first time.
        threads.submit(_keep)
    else:
        _keep()
    return 0


def _keep() -> None:
    """One at a time: what takes longer than until the next look is not begun twice."""
    place = installed()[0]
    if not _keeping.acquire(blocking=False):
        return
    try:
        if name_of(place):
            reader = settled_reader()
            keep(place)
            # Before anybody's words wait for it.
            place_of(reader.model)
    except ModelMissing as error:
        log.error("a model cannot be had", reason=str(error))
    finally:
        _keeping.release()


def _asked_of_service(readings: "list[Reading]") -> "list[Reading]":
    """What the operator's own service makes of the redacted words, if there is one."""
    if not settings.SENTIMENT_SERVICE_URL:
        return readings
    from sentiment.service import with_service  # noqa: PLC0415  (loads what the other processes never need)

    return with_service(readings)


def _store(claimed: Claim[Analysis], reading: "Reading", reader: Reader) -> None:
    with transaction.atomic():
        # History may have been passed already: a word of the old model would stay among those of the new one.
        hold_reader()
        if live_reader() != reader:
            finish(claimed, run_at=claimed.row.run_at, attempts=0)
            return
        # Whoever corrects the reading holds this row too. Their word stays; the model's is kept beside it.
        row = next(iter(_held(claimed.row.pk)), None)
        if row is None:
            raise LeaseLost
        held = finish(
            claimed,
            analysed_at=ClockNow(),
            last_error="",
            **(columns_of(reading) | overruled(judgement_of(reading), row.people_say)),
        )
        if not held:
            raise LeaseLost
        (analysis,) = _stored(claimed.row.pk)
        verbatim_analysed.send(sender=Analysis, analysis=analysis)


_held = Compiled(lambda pk: Analysis.objects.select_for_update(no_key=True).only("people_say").filter(pk=pk), -1)
_stored = Compiled(lambda pk: Analysis.objects.select_related("verbatim__response__store__node").filter(pk=pk), -1)


def _step_aside(claimed: Claim[Analysis], error: Exception) -> None:
    """Try again later, or give up after the last attempt. Of an error only its kind stays: its text may quote.

    Words are no worse for a missing model. They stay due, so that the audit sees them wait for an operator, and are
    left alone for a while.
    """
    attempts = claimed.row.attempts
    kind = type(error).__name__
    log.warning("reading failed", analysis=claimed.row.pk, attempt=attempts, error=kind)
    if isinstance(error, ModelMissing):
        # What it says is for the operator and quotes nobody.
        log.error("no model to read with", reason=str(error))
        wait = {"lease_token": claimed.token, "lease_until": from_now(MODEL_PATIENCE)}
        finish(claimed, run_at=claimed.row.run_at, attempts=0, last_error=kind, **wait)
        return
    later = from_now(retry_delay(attempts))
    finish(claimed, run_at=later if attempts < MAX_ATTEMPTS else None, last_error=kind)


register_step("analysis", "keep the model", keep_installed)
register_step("analysis", "read verbatims", read_due)
register_watch("verbatims unread", PATIENCE_SECS, count_overdue)

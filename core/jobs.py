"""Long work that a person asked for and watches: imports, exports, posters, reading old words again.

A job is a row with a lease; django-q2 only says when to look. It runs as a generator: whatever happens between two
`yield`s is one transaction together with the progress, so a killed job goes on after its last finished step, and
nothing of a step happens twice.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django_q.tasks import async_task

from core.leases import Claim, ClockNow, LeaseLost, claim, finish, from_now, retry_delay
from core.models import Job, JobState
from core.personal import impersonal, register

log = structlog.get_logger()
Runner = Callable[[Job], Iterator[None]]
Titler = Callable[[Job], str]
# Shorter than django-q2's time-out; a single step must end well before that too.
SLICE_SECS = 25
LEASE = timedelta(seconds=120)
MAX_ATTEMPTS = 5
KEPT_FOR = timedelta(days=7)
PATIENCE_SECS = 600
RightsReader = Callable[[int], list[str]]
_runners: dict[str, Runner] = {}
_titles: dict[str, Titler] = {}
_rights_readers: list[RightsReader] = []
_END = object()


class JobFailed(Exception):
    """What was asked for cannot be done; the message is for the person who asked, and nothing is tried again."""


def register_job(kind: str, run: Runner, *, title: Titler | None = None) -> None:
    """Have jobs of `kind` run by `run`, called once from the owning room's `apps.py` or `receivers.py`.

    `run(job)` yields after each step, having set `job.done`, `job.total`, `job.note` and `job.cursor`; begun anew, it
    goes on from `job.cursor`. A step may take seconds, not minutes; work that is one step needs no `yield` at all. It
    raises JobFailed with words for the person. `title(job)` writes its title in the language of whoever reads it now;
    without it, it stays as it was asked for.
    """
    _runners[kind] = run
    if title:
        _titles[kind] = title


def title_of(job: Job) -> str:
    """What the job is, for people."""
    return _titles[job.kind](job) if job.kind in _titles else job.title


def register_rights(read: RightsReader) -> None:
    """Have `read(owner)` name what somebody may do; people live in a room to the right of this one."""
    if read not in _rights_readers:
        _rights_readers.append(read)


def _rights_of(owner: int | None) -> list[str]:
    return [right for read in _rights_readers for right in read(owner)] if owner is not None else []


def may_read_file(job: Job) -> bool:
    """Whether its owner may still do all that they might when they asked: a file holds what their roles showed then."""
    return set(job.rights) <= set(_rights_of(job.owner))


def start_job(
    kind: str, *, owner: int | None, title: str, params: dict[str, Any] | None = None, back_url: str = ""
) -> Job:
    """Ask for a job, in the caller's transaction. `params` and the title may hold nothing that outlives KEPT_FOR."""
    if kind not in _runners:
        raise ValueError(f"No job {kind!r}; there are {', '.join(sorted(_runners))}.")
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind,
            owner=owner,
            rights=_rights_of(owner),
            title=title[:160],
            params=params or {},
            back_url=back_url,
            run_at=ClockNow(),
        )
        async_task("core.jobs.run_due")
    return job


def cancel_job(job: Job) -> bool:
    """Stop a job at its next step. False when it is over already."""
    open_states = (JobState.WAITING, JobState.RUNNING)
    return bool(
        Job.objects.filter(pk=job.pk, state__in=open_states).update(
            state=JobState.CANCELLED, run_at=None, lease_token=None, lease_until=None, finished_at=ClockNow()
        )
    )


def show_progress(job: Job) -> None:
    """Let people see `done` and `total` of a long step while it runs, in a transaction of its own; nobody takes the job
    over as long as it does so."""

    def show() -> None:
        held = Job.objects.filter(pk=job.pk, lease_token=job.lease_token)
        held.update(done=job.done, total=job.total, lease_until=from_now(LEASE))
        connection.close()

    # Another thread has another connection.
    thread = threading.Thread(target=show)
    thread.start()
    thread.join()


def run_due() -> int:
    """Work on one due job for a while. Returns how many were taken: 0 or 1.

    Called by django-q2 for each new job and every minute; by the audit when django-q2 is dead.
    """
    taken = claim(Job.objects.filter(kind__in=list(_runners)), limit=1, lease=LEASE)
    for claimed in taken:
        _run_slice(claimed)
    return len(taken)


def _run_slice(claimed: Claim[Job]) -> None:
    job = claimed.row
    if job.attempts > MAX_ATTEMPTS:
        # Nobody was left to say why: out of memory, or longer than django-q2 waits.
        log.error("job's workers died", job=str(job.pk), kind=job.kind)
        _fail(claimed)
        return
    until = time.monotonic() + SLICE_SECS
    steps = _runners[job.kind](job)
    try:
        while True:
            with transaction.atomic():
                ended = next(steps, _END) is _END
                _save(claimed, ended=ended)
            if ended:
                log.info("job done", job=str(job.pk), kind=job.kind)
                return
            if time.monotonic() > until:
                _pause(claimed)
                return
    except LeaseLost:
        log.info("job passed on or cancelled", job=str(job.pk), kind=job.kind)
    except JobFailed as error:
        _fail(claimed, str(error))
    except Exception:
        _step_aside(claimed)


def _save(claimed: Claim[Job], *, ended: bool) -> None:
    """Keep what the step has set; raises LeaseLost when the job was cancelled or taken over."""
    job = claimed.row
    changes: dict[str, Any] = {
        "done": job.done,
        "total": job.total,
        "note": job.note[:300],
        "cursor": job.cursor,
        "file_name": job.file_name,
        "content_type": job.content_type,
    }
    if ended:
        changes |= {"state": JobState.DONE, "finished_at": ClockNow()}
    else:
        # A step that ended well is a reason to hope again.
        lease = {"lease_token": claimed.token, "lease_until": from_now(LEASE)}
        changes |= {"state": JobState.RUNNING, "run_at": job.run_at, "attempts": 0, **lease}
    if not finish(claimed, **changes):
        raise LeaseLost


def _pause(claimed: Claim[Job]) -> None:
    """Let others have a turn; the next one goes on from the cursor."""
    with transaction.atomic():
        if finish(claimed, run_at=ClockNow()):
            async_task("core.jobs.run_due")


def _fail(claimed: Claim[Job], note: str = "") -> None:
    """Without a note it was a fault of ours, which the log names."""
    finish(claimed, state=JobState.FAILED, finished_at=ClockNow(), note=note[:300])


def _step_aside(claimed: Claim[Job]) -> None:
    """Try again later, or give up."""
    job = claimed.row
    log.exception("job failed", job=str(job.pk), kind=job.kind, attempt=job.attempts)
    if job.attempts >= MAX_ATTEMPTS:
        _fail(claimed)
    else:
        finish(claimed, run_at=from_now(retry_delay(job.attempts)))


def count_overdue(patience_secs: int) -> int:
    """Jobs that nobody has taken up for `patience_secs`."""
    limit = from_now(-timedelta(seconds=patience_secs))
    return Job.objects.filter(run_at__lt=limit, lease_until=None).count()


register(
    "core.Job",
    *("title", "params", "cursor", "note", "back_url", "file_name"),
    erasure="delete row",
    keep_for=KEPT_FOR,
    why="What was asked for may name people; its file, deleted with it, may hold their words.",
)
impersonal("core.Job", "kind", "state", "content_type", "rights")

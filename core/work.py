"""The one work loop: `./run manage work LANE…` runs the steps that the rooms register here."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection, connections

from core.models import Heartbeat

log = structlog.get_logger()
POLL_SECS = 0.5
# The least time from one look to the next: threads that end at about the same moment are served by one look.
PACE_SECS = 0.05
BEAT_SECS = 5
# Mostly waiting for a mail server; each keeps a database connection.
THREADS = 8
# How long the last jobs of the threads wait for each other; a message may take as long as its server's time-out.
CLOSE_SECS = 30
LANES = ("alerts", "facts", "analysis")


@dataclass(frozen=True)
class Step:
    """One kind of work: `run` does a batch and returns how many rows it took; 0 means nothing was due."""

    lane: str
    name: str
    run: Callable[[], int]


@dataclass(frozen=True)
class Watch:
    """What the audit counts: how many rows of a kind are overdue by more than `patience_secs`."""

    name: str
    patience_secs: int
    overdue: Callable[[int], int]


_steps: list[Step] = []
_watches: list[Watch] = []
# One for each lane that is worked on, set when something may have become due.
_wakers: dict[str, threading.Event] = {}


def register_step(lane: str, name: str, run: Callable[[], int]) -> None:
    """Add a step to a lane. Called once, from the owning room's `work.py`."""
    if lane not in LANES:
        raise ValueError(f"No lane {lane!r}; there are {', '.join(LANES)}.")
    if not any(step.name == name for step in _steps):
        _steps.append(Step(lane, name, run))


def register_watch(name: str, patience_secs: int, overdue: Callable[[int], int]) -> None:
    """Have the audit count overdue rows with `overdue(patience_secs)`."""
    if not any(watch.name == name for watch in _watches):
        _watches.append(Watch(name, patience_secs, overdue))


def steps_of(lanes: list[str]) -> list[Step]:
    """The steps of some lanes, in the order of registration."""
    return [step for step in _steps if step.lane in lanes]


def watches() -> list[Watch]:
    """Everything the audit looks at."""
    return list(_watches)


class Background:
    """A few threads for work that waits on somebody else's server, so that it never holds up the loop.

    A step takes no more rows than `free()` says: a row that waited in a queue would lose its lease there.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._threads = self._places = threads
        self._lock = threading.Lock()

    def free(self) -> int:
        """How many threads wait for work."""
        return self._places

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` in a thread, which keeps a database connection of its own; wakes the loop when it ends."""
        with self._lock:
            self._places -= 1
        self._pool.submit(self._run, job)

    def close(self) -> None:
        """Wait for what has begun, and have every thread give its connection back."""
        together = threading.Barrier(self._threads)

        def last_job() -> None:
            together.wait(CLOSE_SECS)
            connections.close_all()

        for _thread in range(self._threads):
            self._pool.submit(last_job)
        self._pool.shutdown(wait=True)

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception:  # the row's lease runs out and another worker takes it
            log.exception("background work failed")
        finally:
            close_old_connections()
            with self._lock:
                self._places += 1
            for waker in _wakers.values():
                waker.set()


_background: Background | None = None


def background() -> Background | None:
    """The threads of the running loop; None outside of one (tests, `--once`, the audit), where steps work inline."""
    return _background


def run_once(lanes: list[str]) -> int:
    """Run each step of the lanes once; one that fails does not stop the others. Returns how many rows were taken."""
    taken = 0
    for step in steps_of(lanes):
        try:
            taken += step.run()
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # a broken step must not take the others down with it
            log.exception("work step failed", step=step.name)
            if connection.in_atomic_block:
                raise
    return taken


def drain(lanes: list[str], *, limit: int = 10_000) -> int:
    """Run the lanes until nothing is due (for tests, the demo data and `replay`). Returns the rows taken."""
    total = 0
    while (taken := run_once(lanes)) and total < limit:
        total += taken
    return total


def heartbeat_name(lane: str) -> str:
    """The name under which the loop over a lane reports; `core.health.silence_of_lanes` reads it back."""
    return f"work {lane}"


def run_forever(lanes: list[str], *, stop: Callable[[], bool]) -> None:
    """Work until `stop()` says so; a lost database is waited for, never fatal.

    Each lane has a thread and a connection of its own, so that a day with many responses, which takes seconds to
    count, holds up no alert. When one of them fails for good, all end and the error is raised: the process is to be
    started anew.
    """
    global _background
    _background = Background()
    failed = threading.Event()
    _wakers.update((lane, threading.Event()) for lane in lanes)

    def work_on(lane: str) -> None:
        try:
            _keep_working(lane, stop=lambda: failed.is_set() or stop())
        except BaseException:
            failed.set()
            raise
        finally:
            connections.close_all()

    try:
        with ThreadPoolExecutor(len(lanes), thread_name_prefix="lane") as pool:
            ended = [pool.submit(work_on, lane) for lane in lanes]
        for one in ended:
            one.result()
    finally:
        _background.close()
        _background = None
        _wakers.clear()


def _keep_working(lane: str, *, stop: Callable[[], bool]) -> None:
    woken, beat_due = _wakers[lane], 0.0
    while not stop():
        looked_at = time.monotonic()
        woken.clear()
        try:
            if time.monotonic() >= beat_due:
                Heartbeat.beat(heartbeat_name(lane))
                beat_due = time.monotonic() + BEAT_SECS
            taken = run_once([lane])
        except (OperationalError, InterfaceError) as error:
            log.warning("database away", error=type(error).__name__)
            taken = 0
            connection.close()
            time.sleep(1)
        finally:
            close_old_connections()
        if not taken:
            woken.wait(POLL_SECS)
        time.sleep(max(0.0, looked_at + PACE_SECS - time.monotonic()))

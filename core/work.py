"""The one work loop: `./run manage work LANE…` runs the steps that the rooms register here."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from core.models import Heartbeat

log = structlog.get_logger()
POLL_SECS = 0.5
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


def run_forever(lanes: list[str], *, stop: Callable[[], bool]) -> None:
    """Work until `stop()` says so; a lost database is waited for, never fatal."""
    beat_due = 0.0
    while not stop():
        try:
            if time.monotonic() >= beat_due:
                Heartbeat.beat("work " + " ".join(lanes))
                beat_due = time.monotonic() + 5
            taken = run_once(lanes)
        except (OperationalError, InterfaceError) as error:
            log.warning("database away", error=type(error).__name__)
            taken = 0
            connection.close()
            time.sleep(1)
        finally:
            close_old_connections()
        if not taken:
            time.sleep(POLL_SECS)

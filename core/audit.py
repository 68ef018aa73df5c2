"""The auditor: a process of its own that finds overdue work, does what nobody does, and calls for help by silence.

It pings the dead-man address only when all is well; whoever watches that address notices when pings stay away, also
when this machine is gone.
"""

import http.client
import time
import urllib.request
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from core import jobs
from core.health import overdue_work, silence_of_jobs, silence_of_lanes
from core.models import Heartbeat
from core.views import JOBS_PATIENCE_SECS
from core.work import run_once

log = structlog.get_logger()
PERIOD_SECS = 15
# A loop beats every few seconds; one that is silent for longer is dead or hangs.
DESERTED_SECS = 15
_PING_TIMEOUT_SECS = 10
_NO_LOOP = "no loop over"


def deserted_lanes() -> list[str]:
    """Lanes that no loop works on."""
    return [lane for lane, secs in silence_of_lanes().items() if secs is None or secs > DESERTED_SECS]


def do_deserted_work(lanes: list[str], *, budget_secs: float) -> int:
    """Run the lanes until nothing is due or the time is used up. Returns the rows taken."""
    until, total = time.monotonic() + budget_secs, 0
    while lanes and time.monotonic() < until and (taken := run_once(lanes)):
        total += taken
    return total


def problems(lanes: list[str]) -> dict[str, object]:
    """What is wrong now, given the deserted lanes; empty when all is well."""
    found: dict[str, object] = {f"{_NO_LOOP} {lane}": True for lane in lanes}
    silence = silence_of_jobs()
    if silence is None or silence > JOBS_PATIENCE_SECS:
        found["no canary of django-q2"] = True
    return found | overdue_work()


def ping() -> bool:
    """Tell the dead-man address that all is well. True when it heard, or when there is none."""
    if not settings.DEADMAN_URL:
        return True
    try:
        urllib.request.urlopen(settings.DEADMAN_URL, timeout=_PING_TIMEOUT_SECS).close()  # noqa: S310 - the operator's
    except (OSError, http.client.HTTPException, ValueError) as error:
        log.warning("dead-man address does not answer", error=type(error).__name__)
        return False
    return True


def audit(*, help_out: bool = True) -> dict[str, object]:
    """One round. Returns the problems; pings when there are none."""
    lanes = deserted_lanes()
    if help_out and lanes and (taken := do_deserted_work(lanes, budget_secs=PERIOD_SECS)):
        log.warning("audit did the work of deserted lanes", lanes=lanes, rows=taken)
    if help_out and (silence_of_jobs() or 0) > JOBS_PATIENCE_SECS and jobs.run_due():
        log.warning("audit did a long job, for django-q2 is silent")
    found = problems(lanes)
    if not found:
        ping()
    Heartbeat.beat("audit")
    return found


def audit_forever(*, stop: Callable[[], bool]) -> None:
    """A round every PERIOD_SECS, or every second while a lane is deserted, until `stop()` says so."""
    begun = time.monotonic()
    last: dict[str, object] = {}
    while not stop():
        try:
            # Right after a start the loops have not beaten yet.
            found = audit(help_out=time.monotonic() - begun > DESERTED_SECS)
        except (OperationalError, InterfaceError) as error:
            found = {"no database": type(error).__name__}
            connection.close()
        finally:
            close_old_connections()
        if found != last:
            log.error("audit found problems", problems=found) if found else log.info("all is well")
            last = found
        pause = 1 if any(name.startswith(_NO_LOOP) for name in found) else PERIOD_SECS
        until = time.monotonic() + pause
        while not stop() and time.monotonic() < until:
            time.sleep(0.2)

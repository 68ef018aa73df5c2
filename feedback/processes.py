"""Ends of processes: a child that dies with its parent, and finding what a killed parent left behind."""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator

import psutil

# Every process of a demo carries its folder under this name in its environment, and so do their descendants.
MARKER = "HALFHOUR_SUPERVISED"
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None  # looked up before any fork


def die_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends `signum` to the child when the calling process ends, also by `kill -9`.

    Only Linux can do this; elsewhere the function does nothing.
    """
    parent = os.getpid()

    def ask_kernel() -> None:
        end_with_parent(signum)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)

    return ask_kernel


def end_with_parent(signum: signal.Signals) -> None:
    """Asks for `signum` to this process when the one that started it ends."""
    if _libc:
        _libc.prctl(_PR_SET_PDEATHSIG, signum, 0, 0, 0)


def marked(folder: str) -> Iterator[psutil.Process]:
    """Living processes, other than this one, whose environment carries `folder` as their MARKER."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARKER) == folder:
                yield process
        except (psutil.Error, OSError):
            continue  # gone, a zombie, or somebody else's


def end_marked(folder: str, *, grace_secs: float) -> int:
    """Ends every marked process, by SIGKILL once `grace_secs` are over; returns how many there were."""
    first = list(marked(folder))
    for process in first:
        _signal(process, signal.SIGTERM)
    end = time.monotonic() + grace_secs
    while time.monotonic() < end and any(marked(folder)):
        time.sleep(0.1)
    # Again and again, since a process may start another between being seen and being killed.
    while remaining := list(marked(folder)):
        for process in remaining:
            _signal(process, signal.SIGKILL)
        time.sleep(0.05)
    return len(first)


def _signal(process: psutil.Process, signum: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):
        process.send_signal(signum)

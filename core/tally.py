"""Counts that are kept in memory and written in batches, for pages that must not write.

Lossy on purpose, and honest about it: a process that is killed takes along what it has counted since its last flush,
`settings.TALLY_FLUSH_SECS` at most. An orderly end loses nothing, and a database that is away only makes it wait.
"""

import atexit
import os
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

log = structlog.get_logger()
# More different things than this between two flushes are an attack or a database that has been away for hours.
MOST_KEYS = 100_000
Key = TypeVar("Key", bound=Hashable)
_tallies: "weakref.WeakSet[Tally[Hashable]]" = weakref.WeakSet()


class Tally(Generic[Key]):
    """Adds up by key; `write` stores what came together, in one statement, from a thread of its own.

    With TALLY_FLUSH_SECS 0 nothing is written until somebody calls `flush`.
    """

    def __init__(self, name: str, write: Callable[[dict[Key, int]], None]) -> None:
        self._name = name
        self._write = write
        self._begin()
        _tallies.add(self)  # type: ignore[arg-type]

    def _begin(self) -> None:
        """Empty, as a process begins; a fork takes over neither the parent's counts nor its thread."""
        self._counts: Counter[Key] = Counter()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def add(self, key: Key, number: int = 1) -> None:
        """Count; takes about a microsecond and never fails."""
        with self._lock:
            if len(self._counts) < MOST_KEYS or key in self._counts:
                self._counts[key] += number
        if self._thread is None and settings.TALLY_FLUSH_SECS:
            self._start()

    def flush(self) -> int:
        """Write what has been counted; returns how many keys. With the database away the counts are kept for later."""
        with self._writing:
            with self._lock:
                taken, self._counts = self._counts, Counter()
            if not taken:
                return 0
            try:
                self._write(taken)
            except (OperationalError, InterfaceError) as error:
                log.warning("counts wait for the database", tally=self._name, error=type(error).__name__)
                with self._lock:
                    self._counts.update(taken)
                return 0
            except Exception:  # counts that cannot be stored must not come back for ever
                log.exception("counts lost", tally=self._name, keys=len(taken))
                return 0
        return len(taken)

    def clear(self) -> None:
        """Forget what has not been written."""
        with self._lock:
            self._counts.clear()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"tally {self._name}", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopped.wait(settings.TALLY_FLUSH_SECS):
            self.flush()
            # A thread that mostly sleeps keeps no connection from the others.
            connection.close()

    def stop(self) -> None:
        """End the thread and write the rest."""
        self._stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(settings.TALLY_FLUSH_SECS + 5)
        if settings.TALLY_FLUSH_SECS:
            self.flush()


@atexit.register
def _stop_all() -> None:
    for tally in list(_tallies):
        tally.stop()


def _begin_all() -> None:
    for tally in list(_tallies):
        tally._begin()


os.register_at_fork(after_in_child=_begin_all)

"""Two at the same moment, each with a database connection of its own."""

import threading
import time
from collections.abc import Callable

from django.db import connection

# A machine that is busy and slow is waited for; whoever waits longer than this is stuck.
PATIENCE_SECS = 60
_WAITED_FOR = """
    SELECT EXISTS (
        SELECT FROM pg_locks theirs JOIN pg_locks ours USING (transactionid)
        WHERE ours.pid = pg_backend_pid() AND ours.granted AND NOT theirs.granted
    )
"""


class Beside(threading.Thread):
    """A job in a thread of its own; `failed` is what it raised."""

    def __init__(self, job: Callable[[], object]) -> None:
        super().__init__()
        self.job = job
        self.failed: BaseException | None = None

    def run(self) -> None:
        try:
            self.job()
        except BaseException as error:
            self.failed = error
        finally:
            connection.close()

    def until_held(self) -> None:
        """Start it, and go on once it waits for a row that the transaction of the caller has, or is done."""
        self.start()
        until = time.monotonic() + PATIENCE_SECS
        while self.is_alive() and not _is_waited_for():
            assert time.monotonic() < until, "neither done nor waiting"
            time.sleep(0.02)

    def end(self) -> None:
        """Wait until it is done; raises what it raised."""
        self.join(PATIENCE_SECS)
        assert not self.is_alive(), "not done"
        if self.failed:
            raise self.failed


def waiting_for_advice() -> int:
    """How many wait in this database for a lock that no row stands for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return int(cursor.fetchone()[0])


def _is_waited_for() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITED_FOR)
        return bool(cursor.fetchone()[0])

"""A WSGI application behind the server that production uses, in its own process, asked over HTTP as browsers do."""

import http.client
import socket
import subprocess
import sys
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import psutil
from django.conf import settings
from django.db import connection

from core.database import process_environment
from demo.site import Answer

_PATIENCE_SECS = 30


class Served:
    """`app` as gunicorn names it, served on loopback by one worker with as many threads as the demo's.

    Not for several threads at once: it holds one connection at a time, as one shopper's browser does.
    """

    def __init__(self, app: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._backends_before = _backends()
        self._server = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", app, f"--bind=127.0.0.1:{self._port}", "--worker-class=gthread"),
                *("--workers=1", "--threads=4", "--log-level=warning"),
            ],
            cwd=settings.BASE_DIR,
            env=process_environment(),
        )
        self._connection = self._new_connection()
        self._shoppers = 0

    def __enter__(self) -> Self:
        end = time.monotonic() + _PATIENCE_SECS
        while True:
            try:
                self._connection.connect()
                return self
            except ConnectionRefusedError:
                if time.monotonic() > end or self._server.poll() is not None:
                    self._server.kill()
                    raise
                time.sleep(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._server.terminate()
        self._server.wait(_PATIENCE_SECS)

    def get(self, address: str, *, accept_encoding: str = "", headers: dict[str, str] | None = None) -> Answer:
        return self._ask("GET", address, None, {"Accept-Encoding": accept_encoding or "identity"} | (headers or {}))

    def post(self, address: str, fields: dict[str, str]) -> Answer:
        form = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "identity"}
        return self._ask("POST", address, urlencode(fields).encode(), form)

    def leave(self) -> None:
        """Let the next request be another shopper's: over a connection of its own, from another browser."""
        self._connection.close()
        self._shoppers += 1
        self._connection = self._new_connection()

    def cpu_secs(self) -> float:
        """What the server's processes and their database backends have used so far."""
        server = psutil.Process(self._server.pid)
        used = [process.cpu_times() for process in (server, *server.children(recursive=True))]
        used += [psutil.Process(pid).cpu_times() for pid in _backends() - self._backends_before]
        return sum(one.user + one.system for one in used)

    def _new_connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_SECS)

    def _ask(self, method: str, address: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        said = {"Accept-Language": "en-GB,en;q=0.9", "User-Agent": f"Mozilla/5.0 (Mobile {self._shoppers})"}
        self._connection.request(method, address, body, said | headers)
        with self._connection.getresponse() as response:
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())


def _backends() -> set[int]:
    """The processes that serve our database's connections."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return {pid for (pid,) in cursor.fetchall()}

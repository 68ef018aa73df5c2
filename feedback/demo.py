"""`./run demo`: every process of an installation on this machine, with demo data, until it is told to stop."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict

import psycopg

from feedback import local
from feedback.embedded import Cluster, EmbeddedError
from feedback.local import LocalError, manage, say
from feedback.processes import MARKER, end_marked, end_with_parent
from feedback.supervisor import Program, StopAsked, Supervisor, guard, raise_on_stop_signals

_PATIENCE_SECS = 60
# Pages of libraries that we do not serve; compressing them would take longer than everything else.
_COLLECT = ["collectstatic", "--noinput", "--verbosity=0", "--clear", "--ignore=redoc", "--ignore=rest_framework"]


class Facts(TypedDict):
    """What of `var/demo.json` is shown; all values are text."""

    logins: list[dict[str, str]]
    touchpoints: list[dict[str, str]]
    invitations: list[dict[str, str]]


def main() -> int:
    if "MAKELEVEL" in os.environ:
        end_with_parent(signal.SIGTERM)
    raise_on_stop_signals()
    folder = str(local.var())
    try:
        with guard(folder), local.the_only_demo():
            if left := end_marked(folder, grace_secs=3):
                say(f"Ended {left} processes that an earlier demo left behind.")
            try:
                with _database() as database:
                    _serve(database)
            finally:
                end_marked(folder, grace_secs=0)
    except StopAsked:
        say("Stopped.")
    except (LocalError, EmbeddedError) as error:
        print(f"halfhour: {error}", file=sys.stderr)
        return 1
    return 0


class Database:
    """Where the demo keeps its rows: DATABASE_URL, or the embedded cluster, which it keeps running."""

    def __init__(self, url: str, cluster: Cluster | None = None) -> None:
        self.url, self._cluster, self._look_at = url, cluster, 0.0

    def look_after(self) -> None:
        """Gets a new keeper where the old one was killed."""
        if self._cluster and time.monotonic() > self._look_at:
            self._look_at = time.monotonic() + 2
            if not self._cluster.has_keeper():
                say("The embedded database has lost its keeper; it is started again.")
                self._cluster.start()

    def silence_secs(self, name: str) -> float | None:
        """How long ago the process last wrote its heartbeat; None when it never did or the database is away."""
        query = "SELECT extract(epoch FROM clock_timestamp() - beat_at) FROM core_heartbeat WHERE name = %s"
        try:
            with psycopg.connect(self.url, connect_timeout=2) as connection:
                row = connection.execute(query, [name]).fetchone()
        except psycopg.Error:
            return None
        return float(row[0]) if row else None


@contextlib.contextmanager
def _database() -> Iterator[Database]:
    if url := os.environ.get("DATABASE_URL"):
        yield Database(url)
        return
    wanted = local.var() / "db"
    cluster = Cluster.at(wanted)
    if cluster.root != wanted:
        say(f"The database lies in {cluster.root}: PostgreSQL, which does not run as root, cannot enter {wanted}.")
    with cluster.running() as url:
        yield Database(url, cluster)


def _serve(database: Database) -> None:
    """Prepares everything, then keeps all processes running until an exception comes."""
    settings = local.prepare_demo_settings()
    environment = local.environment(**settings, **{"DATABASE_URL": database.url, MARKER: str(local.var())})
    logs = local.var() / "log"
    logs.mkdir(parents=True, exist_ok=True)
    facts = local.var() / "demo.json"
    _prepare("Compiling translations", ["compile_translations"], environment, logs)
    if (collected := _static_files()) != _read(local.var() / "static.stamp"):
        _prepare("Collecting static files", _COLLECT, environment, logs)
        (local.var() / "static.stamp").write_text(collected)
    _prepare("Migrating the database", ["migrate", "--noinput"], environment, logs)
    _prepare("Making demo data", ["demo_data", "--json", str(facts)], environment, logs)
    supervisor = Supervisor(_programs(settings, database), environment=environment, logs=logs)
    announcement = _Announcement(facts, settings, logs)

    def each_round() -> None:
        database.look_after()
        announcement.when_due()

    try:
        supervisor.run(each_round=each_round)
    finally:
        say("Stopping …" if sys.stdout.encoding == "utf-8" else "Stopping")
        supervisor.stop()


def _static_files() -> str:
    """Changes when a static file of ours or an installed package does."""
    folders = [folder for folder in [local.ROOT, *local.ROOT.iterdir()] if folder != local.var()]
    files = sorted(path for folder in folders for path in (folder / "static").rglob("*") if path.is_file())
    seen = [f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in files]
    seen.append((local.ROOT / "requirements" / "runtime.txt").read_text())
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _prepare(title: str, command: list[str], environment: Mapping[str, str], logs: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        manage(*command),
        cwd=local.ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        start_new_session=True,
    )
    with open(logs / "setup.log", "a") as log:
        log.write(f"--- {title}\n{done.stdout}")
    if done.returncode:
        raise LocalError(f"{title} failed; `manage.py {' '.join(command)}` said:\n{done.stdout[-3000:].strip()}")
    say(f"{title}: {time.monotonic() - began:.1f} s")


def _programs(settings: Mapping[str, str], database: Database) -> list[Program]:
    host, port = local.address()[0], settings["PORT"]
    gunicorn = [sys.executable, "-m", "gunicorn", "feedback.wsgi", f"--bind={host}:{port}"]
    # Few seconds of grace, so that Ctrl-C is answered; no access log, since addresses are personal data.
    gunicorn += ["--worker-class=gthread", "--workers=2", "--threads=4", "--graceful-timeout=4", "--log-level=warning"]
    return [
        Program("catcher", manage("catcher")),
        Program("web", gunicorn),
        Program("work-alerts", manage("work", "alerts", "facts"), lambda: database.silence_secs("work alerts facts")),
        Program("work-analysis", manage("work", "analysis")),
        Program("audit", manage("audit")),
        Program("qcluster", manage("qcluster"), lambda: database.silence_secs("qcluster")),
    ]


class _Announcement:
    """Says where everything is once the web answers, and writes it to the file that scripts read."""

    def __init__(self, facts: Path, settings: Mapping[str, str], logs: Path) -> None:
        self.facts, self.url, self.mailbox, self.logs = facts, settings["PUBLIC_URL"], settings["MAILBOX_URL"], logs
        self.health = f"http://127.0.0.1:{settings['PORT']}/healthz"
        self.began = time.monotonic()
        self.made = self.complained = False

    def when_due(self) -> None:
        if self.made:
            return
        try:
            urllib.request.urlopen(self.health, timeout=1).close()  # noqa: S310 - our own address
        except (urllib.error.URLError, OSError):
            if not self.complained and time.monotonic() > self.began + _PATIENCE_SECS:
                self.complained = True
                say(f"The web has not answered for {_PATIENCE_SECS} s; see {self.logs / 'web.log'}.")
            return
        self.made = True
        facts = json.loads(self.facts.read_text()) | {"url": self.url, "mailbox_url": self.mailbox}
        local.write_json(self.facts, facts)
        say(self._text(facts))

    def _text(self, facts: Facts) -> str:
        lines = ["", f"  Halfhour        {self.url}/", f"  Mail and SMS    {self.mailbox}", "", "  Shoppers write at"]
        lines += [
            f"    {self.url}/q/{one['code']}/  {one['store']}" for one in _first_of(facts["touchpoints"], "store")[:3]
        ]
        lines += [f"    {self.url}/r/{one['token']}/  {one['channel']}" for one in facts["invitations"][:1]]
        lines += ["", "  Sign in as"]
        lines += [
            f"    {one['role']:<18} {one['email']:<30} {one['password']}" for one in _first_of(facts["logins"], "role")
        ]
        lines += ["", f"  All logins and links: {self.facts}", f"  Logs: {self.logs}", "  Ctrl-C stops everything.", ""]
        return "\n".join(lines)


def _first_of(rows: list[dict[str, str]], key: str) -> list[dict[str, str]]:
    """The first row of each kind."""
    return list({row[key]: row for row in reversed(rows)}.values())[::-1]


if __name__ == "__main__":
    sys.exit(main())

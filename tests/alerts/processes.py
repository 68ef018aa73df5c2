"""Real work loops as processes of their own, on the test's database, to be killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings

from core.database import process_environment
from messaging.catcher import Catcher

SENDER_LEASE_SECS = 4


def start_worker(catcher: Catcher, *, kill_at: str = "", public_url: str = "") -> subprocess.Popen[bytes]:
    """`manage.py work alerts`, which dies at the kill point `kill_at` if one is named."""
    return start(catcher, "work", "alerts", kill_at=kill_at, public_url=public_url)


def start(catcher: Catcher, *command: str, kill_at: str = "", public_url: str = "") -> subprocess.Popen[bytes]:
    """A management command on the test database, whose messages go to the catcher. What the catcher reports goes to
    `public_url`, if there is a server."""
    known = {"PUBLIC_URL": public_url} if public_url else {}
    environment = process_environment(
        HALFHOUR_TESTING="1",
        EMAIL_URL=f"smtp://127.0.0.1:{catcher.smtp_port}",
        TWILIO_ACCOUNT_SID="AC" + "0" * 32,
        TWILIO_AUTH_TOKEN="secret",
        TWILIO_BASE_URL=catcher.sms_url,
        SENDER_LEASE_SECS=str(SENDER_LEASE_SECS),
        HALFHOUR_STEP_KILL=kill_at,
        **known,
    )
    return subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill(worker: subprocess.Popen[bytes]) -> None:
    """As `kill -9`."""
    worker.send_signal(signal.SIGKILL)
    worker.wait(timeout=10)


def wait_until(done: Callable[[], bool], *, secs: float) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + secs
    while time.monotonic() < until:
        if done():
            return True
        time.sleep(0.1)
    return done()

"""Places where a test may kill the process, to prove that dying there loses nothing."""

import os
import signal
from pathlib import Path

from django.conf import settings


def kill_point(name: str) -> None:
    """Die here, as by `kill -9`, when HALFHOUR_STEP_KILL names this place; only ever while testing.

    The variable is `name` or `name:file`: with a file it happens once, for whoever can remove the file.
    """
    wanted, _, once = os.environ.get("HALFHOUR_STEP_KILL", "").partition(":")
    if wanted != name or not settings.TESTING:
        return
    if once:
        try:
            Path(once).unlink()
        except FileNotFoundError:
            return
    os.kill(os.getpid(), signal.SIGKILL)

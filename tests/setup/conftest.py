"""What the tests of the set-up share: folders that any account may enter, and waiting for what processes do."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder with a space in its name; pytest's own are closed to the account that serves root."""
    made = Path(tempfile.mkdtemp(prefix="half hour "))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def until(condition: Callable[[], object], *, patience_secs: float = 90) -> None:
    """Returns once the condition holds; fails when it does not in time."""
    end = time.monotonic() + patience_secs
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def start_python(code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """A Python of ours in a session of its own, which prints a line when it has got where the test wants it."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Also where the tests run under nohup, which children would inherit and obey.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )

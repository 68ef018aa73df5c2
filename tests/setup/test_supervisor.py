"""The supervisor brings back what ends, and nothing outlives it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest

from feedback import supervisor as module
from feedback.processes import MARKER, end_marked, marked
from tests.setup.conftest import start_python, until

# A worker that ignores SIGTERM, below a leader: what django-q2 and gunicorn look like at their worst.
LEADER = """
import os, signal, sys, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sys.argv[1] + "/worker-" + str(os.getpid()), "w").close()
    while True: time.sleep(60)
print("led", flush=True)
while True: time.sleep(60)
"""
BRIEF = "print('came', flush=True)"
SUPERVISE = f"""
import os, pathlib, sys
from feedback import supervisor as module
from feedback.processes import MARKER
from feedback.supervisor import *
folder = sys.argv[1]
programs = [
    Program("leader", [sys.executable, "-c", {LEADER!r}, folder]),
    Program("brief", [sys.executable, "-c", {BRIEF!r}]),
]
raise_on_stop_signals()
try:
    with guard(folder):
        one = Supervisor(programs, environment=os.environ | {{MARKER: folder}}, logs=pathlib.Path(folder))
        try:
            one.run(each_round=lambda: None)
        finally:
            one.stop()
except StopAsked:
    print("stopped", flush=True)
"""


def workers(folder: Path) -> list[psutil.Process]:
    found = []
    for path in folder.glob("worker-*"):
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(int(path.name.removeprefix("worker-"))))
    return found


@pytest.fixture
def supervisor(folder: Path) -> Iterator[subprocess.Popen[str]]:
    running = start_python(SUPERVISE, folder)
    until(lambda: workers(folder))
    yield running
    running.kill()
    running.communicate()
    end_marked(str(folder), grace_secs=0)


def test_what_ends_comes_back_also_after_exit_0(supervisor: subprocess.Popen[str], folder: Path) -> None:
    log = folder / "brief.log"
    until(lambda: log.exists() and log.read_text().count("came") >= 3)
    assert "exit code 0" in log.read_text()


def test_a_killed_leader_takes_its_workers_along(supervisor: subprocess.Popen[str], folder: Path) -> None:
    (worker,) = workers(folder)
    leader = worker.parent()
    assert leader
    leader.kill()
    until(lambda: workers(folder) and worker not in workers(folder))
    assert "SIGKILL" in (folder / "leader.log").read_text()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process(supervisor: subprocess.Popen[str], folder: Path, signum: signal.Signals) -> None:
    supervisor.send_signal(signum)
    printed, _ = supervisor.communicate(timeout=90)
    assert printed.endswith("stopped\n")
    until(lambda: not list(marked(str(folder))))


def test_killing_the_supervisor_ends_every_process(supervisor: subprocess.Popen[str], folder: Path) -> None:
    supervisor.kill()
    until(lambda: not list(marked(str(folder))))


def test_what_falls_silent_is_started_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_SILENCE_SECS", 0.5)
    monkeypatch.setattr(module, "_ASK_SECS", 0.1)
    silences = {"deaf": 99.0, "lively": 0.0, "unknown": None}
    programs = [
        module.Program(name, [sys.executable, "-c", LEADER, str(folder)], partial(silences.get, name))
        for name in silences
    ]
    one = module.Supervisor(programs, environment=os.environ | {MARKER: str(folder)}, logs=folder)
    pids: dict[str, set[int]] = {name: set() for name in silences}

    def each_round() -> None:
        for program in programs:
            if program.process:
                pids[program.name].add(program.process.pid)
        if len(pids["deaf"]) == 2:
            raise module.StopAsked

    try:
        with pytest.raises(module.StopAsked):
            one.run(each_round=each_round)
    finally:
        one.stop()
    assert [len(pids[name]) for name in silences] == [2, 1, 1]
    until(lambda: not list(marked(str(folder))))

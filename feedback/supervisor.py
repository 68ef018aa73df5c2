"""Keeps programs running: starts them, starts them again when they end or stall, ends them all together."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from feedback.local import ROOT, say
from feedback.processes import die_with_parent, end_marked

_LONGEST_DELAY_SECS = 30
# A program that ran this long was well; what ends it next is a new misfortune.
_WELL_SECS = 60
# django-q2's sign comes once a minute and up to half a minute late.
LONGEST_SILENCE_SECS = 120
_ASK_SECS = 10
_GRACE_SECS = 6
_ROUND_SECS = 0.2


class StopAsked(BaseException):
    """SIGINT, SIGTERM or SIGHUP came."""


@dataclass
class Program:
    """A command to keep running, each time in a session of its own.

    `silence_secs` tells how long ago it last gave a sign of work, None when that is unknown; it is asked now and then
    and must answer quickly. A program silent for too long is started again, for it may live and do nothing.
    """

    name: str
    command: list[str]
    silence_secs: Callable[[], float | None] | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    failures: int = field(default=0, init=False)
    started_at: float = field(default=0, init=False)
    start_at: float = field(default=0, init=False)
    ask_at: float = field(default=0, init=False)


class Supervisor:
    """Runs `programs`; what they print goes to `logs`/<name>.log, the start before that to <name>.log.1."""

    def __init__(self, programs: Sequence[Program], *, environment: Mapping[str, str], logs: Path) -> None:
        self.programs, self.environment, self.logs = programs, environment, logs

    def run(self, *, each_round: Callable[[], None]) -> None:
        """Watches over the programs until an exception comes, such as StopAsked."""
        for program in self.programs:
            with contextlib.suppress(FileNotFoundError):
                self._log(program).replace(self._log(program).with_suffix(".log.1"))
        while True:
            for program in self.programs:
                self._attend(program)
            each_round()
            time.sleep(_ROUND_SECS)

    def stop(self) -> None:
        """Asks every program to end, then makes what remains of their groups end."""
        alive = [program.process for program in self.programs if program.process]
        for process in alive:
            _signal_group(process, signal.SIGTERM)
        end = time.monotonic() + _GRACE_SECS
        while time.monotonic() < end and not all(_ended(process) for process in alive):
            time.sleep(0.05)
        for process in alive:
            _signal_group(process, signal.SIGKILL)
            process.wait()

    def _attend(self, program: Program) -> None:
        now = time.monotonic()
        if program.process is None:
            if now >= program.start_at:
                self._start(program)
        elif _ended(program.process):
            self._restart_later(program)
        elif program.silence_secs and now >= program.ask_at:
            program.ask_at = now + _ASK_SECS
            silence_secs = program.silence_secs()
            # A sign from before this start says nothing about this process.
            if silence_secs is not None and min(silence_secs, now - program.started_at) > LONGEST_SILENCE_SECS:
                say(f"{program.name} has done no work for {silence_secs:.0f} s.")
                self._restart_later(program)

    def _start(self, program: Program) -> None:
        with open(self._log(program), "ab") as log:
            program.process = subprocess.Popen(
                program.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        program.started_at = time.monotonic()

    def _restart_later(self, program: Program) -> None:
        """Ends the whole group first: workers whose parent was killed would go on and meet their successors."""
        process, program.process = program.process, None
        assert process is not None
        _signal_group(process, signal.SIGKILL)  # before the wait below, which frees the group's number
        code = process.wait()
        if time.monotonic() - program.started_at > _WELL_SECS:
            program.failures = 0
        delay_secs = min(0.5 * 2**program.failures, _LONGEST_DELAY_SECS)
        program.failures += 1
        program.start_at = time.monotonic() + delay_secs
        said = f"{program.name} ended ({_how(code)}); starting it again in {delay_secs:g} s. See {self._log(program)}"
        say(said)
        with open(self._log(program), "a") as log:
            log.write(f"--- {said}\n")

    def _log(self, program: Program) -> Path:
        return self.logs / f"{program.name}.log"


def raise_on_stop_signals() -> None:
    """From now on the first SIGINT, SIGTERM or SIGHUP raises StopAsked; later ones change nothing."""
    asked = False

    def ask(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise StopAsked

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signum != signal.SIGHUP or signal.getsignal(signum) != signal.SIG_IGN:  # nohup means it
            signal.signal(signum, ask)


@contextlib.contextmanager
def guard(folder: str) -> Iterator[None]:
    """Should this process be killed within the block, a second one ends everything marked with `folder`.

    The kernel's signal reaches only our direct children; their workers may ignore that their parent has gone. Enter
    this before taking locks, since the second process holds whatever is open.
    """
    reader, writer = os.pipe()
    guardian = os.fork()
    if guardian == 0:
        _guard(folder, reader, writer)
    os.close(reader)
    try:
        yield
    finally:
        os.write(writer, b"well")
        os.close(writer)
        os.waitpid(guardian, 0)


def _guard(folder: str, reader: int, writer: int) -> None:
    try:
        os.setsid()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        os.close(writer)
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        if not os.read(reader, 1):
            end_marked(folder, grace_secs=3)
    finally:
        os._exit(0)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended, leaving it unreaped, so that its group's number stays its own."""
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return process.returncode is not None or os.waitid(os.P_PID, process.pid, options) is not None


def _signal_group(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signum)


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

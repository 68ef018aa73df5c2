"""RELIABILITY F2, Q4: django-q2 lives on and does nothing once its idle workers are killed; its workers live on once
their guard is. The supervisor hears that nothing sings any more, or that the leader has gone, and work goes on.

Alerts need none of it: in `test_kills` most run without.
"""

import sys
import time
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django_q.tasks import async_task

from core.database import process_environment
from core.health import CANARY
from core.models import Heartbeat
from feedback import supervisor as module
from feedback.processes import MARKER, end_marked
from feedback.supervisor import Program, StopAsked, Supervisor

_PATIENCE_SECS = 300
_WORKERS = int(str(settings.Q_CLUSTER["workers"]))


class _Play:
    """Kills, and waits until a song that was asked for after the kill is heard; once the guard was killed, from others
    than those it left behind."""

    def __init__(self, program: Program) -> None:
        self.program, self.until = program, time.monotonic() + _PATIENCE_SECS
        self.ask_at = self.killed_at = 0.0
        self.leader = self.struck = 0
        self.to_kill = ["workers", "guard"]

    def each_round(self) -> None:
        now = time.monotonic()
        assert now < self.until, f"not recovered, {self.to_kill} still to come"
        if now > self.ask_at:
            self.ask_at = now + 1
            async_task("core.schedules.sing")
        if not self.program.process or self.program.process.pid == self.leader:
            return
        if not Heartbeat.objects.filter(name=CANARY).exists():
            return
        if not self.to_kill:
            raise StopAsked
        self._kill(self.to_kill.pop(0))

    def _kill(self, victims: str) -> None:
        assert self.program.process
        leader = self.program.process.pid
        time.sleep(1.2)  # what was asked for is done: they are idle
        [guard] = psutil.Process(leader).children()
        workers = sorted(guard.children(), key=psutil.Process.create_time)[:_WORKERS]
        for process in workers if victims == "workers" else [guard]:
            process.kill()
        self.struck, self.leader = leader, leader if victims == "guard" else 0
        Heartbeat.objects.filter(name=CANARY).delete()
        self.killed_at, self.until = time.monotonic(), time.monotonic() + _PATIENCE_SECS

    def silence_secs(self) -> float | None:
        """For how long what was killed has not sung; whoever has only just begun is given all the time in the world."""
        struck = self.program.process is not None and self.program.process.pid == self.struck
        silent = struck and not Heartbeat.objects.filter(name=CANARY).exists()
        return time.monotonic() - self.killed_at if silent else None


def test_what_is_killed_of_django_q2_comes_back(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_SILENCE_SECS", 2)
    monkeypatch.setattr(module, "_ASK_SECS", 0.2)
    program = Program("qcluster", [sys.executable, "manage.py", "qcluster"])
    play = _Play(program)
    program.silence_secs = play.silence_secs
    environment = process_environment(HALFHOUR_TESTING="1", **{MARKER: str(tmp_path)})
    supervisor = Supervisor([program], environment=environment, logs=tmp_path)
    try:
        with pytest.raises(StopAsked):
            supervisor.run(each_round=play.each_round)
    finally:
        supervisor.stop()
        end_marked(str(tmp_path), grace_secs=0)

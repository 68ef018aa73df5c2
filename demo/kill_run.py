"""Cases whose ladders climb while two of every process are killed again and again: what is left must be whole.

For every step: one row of its state, one event and one message for each whom it tells, by each channel; nothing missed,
nothing twice; each message at its server at least once, with the same id each time (P3, P4; F1, F2, F4).
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from uuid import UUID

import psutil
from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from alerts.actions import acknowledge
from alerts.choices import EventKind, Severity, StepState
from alerts.ladder import Policy, Rung
from alerts.models import AlertGroup, CaseEvent, CasePolicy, CaseStep, Rule
from core.database import process_environment
from core.leases import ClockNow
from messaging.catcher import Catcher, Trouble
from messaging.choices import Channel, MessageState
from messaging.models import ChatHook, Message
from messaging.work import message_id
from stores.models import Store, User

# Two of each: whoever takes a row may die with it, and the other is there.
PROCESSES = (("work", "alerts", "facts"), ("work", "analysis"), ("qcluster",), ("audit",))
ACCOUNT, TOKEN = "AC" + "0" * 32, "secret"
# A repeated step is told again so often, then somebody takes notice.
REPETITIONS = 3
_LEASE_SECS = 4


@dataclass(frozen=True)
class Cast:
    """The store of the run, and the people of its ladder; `leader` stands above it, `group` has a phone each."""

    store: Store
    manager: User
    leader: User
    group: Sequence[User]


def build_ladder(cast: Cast) -> dict[int, set[tuple[str, str]]]:
    """A clock with every sort of step; returns whom each tells by which channel, as (recipient, channel)."""
    group = AlertGroup.objects.create(name="Rehearsal")
    group.members.set(cast.group)
    hook = ChatHook.objects.create(name="Rehearsal", url="", store=cast.store)
    policy = Policy(
        30,
        (
            Rung(0, ("answering",), "never", channel=Channel.EMAIL),
            Rung(5, ("answering",), "acknowledge", channel=Channel.EMAIL, every=10),
            Rung(10, (f"group:{group.pk}",), "never", channel=Channel.SMS),
            Rung(15, ("answering",), "never", channel=Channel.CHAT),
            Rung(30, ("up",), "never", channel=Channel.EMAIL),
        ),
    )
    CasePolicy.objects.filter(usual=True).update(content=policy.as_json())
    # Below severe a phone waits for its next buzz.
    Rule.objects.filter(active=True).update(severity=Severity.SEVERE)
    # A step by no channel of its own would reach the chat as well; these name theirs.
    by_mail = Channel.EMAIL.value
    return {
        0: {(str(cast.manager.pk), by_mail)},
        1: {(str(cast.manager.pk), by_mail)},
        2: {(str(user.pk), Channel.SMS.value) for user in cast.group},
        3: {(f"hook{hook.pk}", Channel.CHAT.value)},
        4: {(str(cast.leader.pk), by_mail)},
    }


# --- processes ----------------------------------------------------------------------------------------------------
@dataclass
class Servers:
    """Where the run's messages end."""

    catcher: Catcher
    chat_url: str
    chats: Counter[str]


@contextmanager
def servers() -> Iterator[Servers]:
    heard: Counter[str] = Counter()

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            heard[body] += 1
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    chat = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    chat.daemon_threads = True
    threading.Thread(target=chat.serve_forever, args=(0.1,), daemon=True).start()
    with Catcher(account=(ACCOUNT, TOKEN)) as catcher:
        yield Servers(catcher, f"http://127.0.0.1:{chat.server_port}/", heard)
    chat.shutdown()
    chat.server_close()


class Process(Protocol):
    """As much of a process, the first of its group, as is asked for here."""

    pid: int

    def poll(self) -> int | None: ...

    def wait(self, timeout: float) -> int: ...


class Breed(Protocol):
    """What starts processes with an environment, and ends those that are left."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: Any) -> None: ...

    def start(self, *command: str) -> Process: ...


class Started:
    """Processes as the supervisor starts them. A program is a management command, or a script of ours."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def start(self, *command: str) -> Process:
        script = () if command[0].endswith(".py") else ("manage.py",)
        return subprocess.Popen(
            [sys.executable, *script, *command],
            cwd=settings.BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )


@dataclass
class Flock:
    """Two of every process, each in a group of its own; what dies is started again."""

    breed: Breed
    programs: Sequence[tuple[str, ...]]
    chance: random.Random
    running: list[tuple[tuple[str, ...], Process]] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        for program in [*self.programs, *self.programs]:
            self.running.append((program, self.breed.start(*program)))

    def kill_one(self) -> None:
        """`kill -9` of any process, of django-q2's any of its own: worker, guard, monitor or pusher."""
        place = self.chance.randrange(len(self.running))
        program, process = self.running[place]
        with suppress(psutil.NoSuchProcess):
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            self.chance.choice(family).kill()
        self.kills[program[0] + (f" {program[1]}" if len(program) > 1 else "")] += 1

    def revive(self) -> None:
        """Start again what has ended, as the supervisor does: with all that it left behind ended too."""
        for place, (program, process) in enumerate(self.running):
            if process.poll() is not None:
                self._end(process)
                self.running[place] = (program, self.breed.start(*program))

    def stop(self) -> None:
        for _program, process in self.running:
            self._end(process)

    def _end(self, process: Process) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)


# --- the run ------------------------------------------------------------------------------------------------------
@dataclass
class Tally:
    """One line of the table: what the steps of one rung came to."""

    rung: str
    due: int = 0
    fired: int = 0
    stopped: int = 0
    open: int = 0
    notices: int = 0
    rows: int = 0
    events: int = 0
    missed: int = 0
    doubled: int = 0
    delivered: int = 0
    repeated: int = 0

    @property
    def whole(self) -> bool:
        """Every step one row, one event for each whom it tells, none missed, none twice, all of it delivered."""
        kept = self.rows == self.events == self.delivered == self.notices
        return kept and not (self.open or self.missed or self.doubled)


@dataclass
class Run:
    cases: int
    kills: Counter[str]
    secs: float
    lines: list[Tally]
    crossed: int = 0
    acknowledged: int = 0

    @property
    def whole(self) -> bool:
        return all(line.whole for line in self.lines)

    def table(self) -> str:
        names = ("due", "fired", "stopped", "open", "notices", "rows", "events", "missed", "doubled", "delivered",
                 "repeated")  # fmt: skip
        width = max(len(line.rung) for line in self.lines)
        head = f"{'step':{width}} " + " ".join(f"{name:>9}" for name in names)
        lines = [f"{one.rung:{width}} " + " ".join(f"{getattr(one, name):>9}" for name in names) for one in self.lines]
        killed = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        about = (
            f"{self.cases} cases, {self.kills.total()} kills in {self.secs:.0f} s ({killed}); "
            f"{self.acknowledged} acknowledged, {self.crossed} of them while a notice was on its way"
        )
        return "\n".join([about, head, *lines])


def rehearse(
    cast: Cast,
    cases: Sequence[UUID],
    expected: dict[int, set[tuple[str, str]]],
    *,
    kills: int,
    seed: int,
    spread_secs: float,
    programs: Sequence[tuple[str, ...]] = PROCESSES,
    troubles: Mapping[Channel, Sequence[Trouble]] | None = None,
    patience_secs: float = 600,
    breed: Callable[[dict[str, str]], Breed] = Started,
) -> Run:
    """Let the ladders of `cases` climb within `spread_secs` and more, with so many kills meanwhile, until all is done.

    The first messages of a channel meet its `troubles` at the server. The cases were opened under the ladder of
    `build_ladder`, and their first messages wait. Raises TimeoutError when it is not done in time.
    """
    chance = random.Random(seed)
    with servers() as there, breed(_environment(there)) as bred:
        for hook in ChatHook.objects.filter(retired_at=None):
            hook.url = there.chat_url
            hook.save(update_fields=["url"])
        for channel, ordered in (troubles or {}).items():
            there.catcher.fail_next(channel, *ordered)
        flock = Flock(bred, programs, chance)
        began = time.monotonic()
        try:
            flock.start()
            _until_at_work(until=began + patience_secs)
            taps = _spread(cases, chance, spread_secs)
            _drive(cast, cases, flock, taps, chance, kills=kills, spread_secs=spread_secs, until=began + patience_secs)
        finally:
            flock.stop()
        found = Run(len(cases), flock.kills, time.monotonic() - began, _count(cases, expected, there))
    happened = CaseEvent.objects.filter(case__in=cases)
    found.acknowledged = happened.filter(kind=EventKind.ACKNOWLEDGED).count()
    found.crossed = happened.filter(kind=EventKind.CROSSED).count()
    return found


def _environment(there: Servers) -> dict[str, str]:
    return process_environment(
        HALFHOUR_TESTING="1",
        EMAIL_URL=f"smtp://127.0.0.1:{there.catcher.smtp_port}",
        TWILIO_ACCOUNT_SID=ACCOUNT,
        TWILIO_AUTH_TOKEN=TOKEN,
        TWILIO_BASE_URL=there.catcher.sms_url,
        SENDER_LEASE_SECS=str(_LEASE_SECS),
        OUTBOUND_ALLOW_LOOPBACK="1",
    )


def _until_at_work(*, until: float) -> None:
    """Whoever is killed before has not begun."""
    while not Message.objects.filter(attempts__gt=0).exists():
        if time.monotonic() > until:
            raise TimeoutError("nobody has begun to work")
        time.sleep(0.1)


def _spread(cases: Sequence[UUID], chance: random.Random, secs: float) -> list[tuple[float, UUID]]:
    """Bring the waiting steps near; returns when some are acknowledged: in the moment in which a step is due."""
    start = timezone.now() + timedelta(seconds=1)
    steps = list(CaseStep.objects.filter(case__in=cases, state=StepState.PENDING))
    for step in steps:
        step.run_at = start + timedelta(seconds=chance.uniform(0, secs))
    CaseStep.objects.bulk_update(steps, ["run_at"], batch_size=500)
    early = set(chance.sample(list(cases), len(cases) // 3))
    return sorted(
        (step.run_at.timestamp(), step.case_id)
        for step in steps
        if step.ordinal == 1 and step.case_id in early and step.run_at
    )


def _drive(
    cast: Cast,
    cases: Sequence[UUID],
    flock: Flock,
    taps: list[tuple[float, UUID]],
    chance: random.Random,
    *,
    kills: int,
    spread_secs: float,
    until: float,
) -> None:
    pause = spread_secs / max(kills, 1)
    next_kill, next_look = time.monotonic() + 1, 0.0
    while time.monotonic() < until:
        while taps and taps[0][0] <= time.time():
            acknowledge(taps.pop(0)[1], actor=cast.manager)
        now = time.monotonic()
        if now > next_kill and flock.kills.total() < kills:
            flock.kill_one()
            next_kill = now + chance.uniform(0.2, 1.8) * pause
        if now > next_look:
            flock.revive()
            _bring_repetitions_near(cast, cases)
            if not taps and flock.kills.total() >= kills and not _waits(cases):
                return
            next_look = now + 0.5
        time.sleep(0.02)
    raise TimeoutError(f"not done in time: {_waits(cases)} steps and messages wait")


def _bring_repetitions_near(cast: Cast, cases: Sequence[UUID]) -> None:
    """Nobody waits ten minutes here; after some repetitions somebody takes notice."""
    far = CaseStep.objects.filter(case__in=cases, repetition__gt=0, state=StepState.PENDING, lease_token=None)
    far.filter(run_at__gt=timezone.now() + timedelta(seconds=60)).update(run_at=ClockNow())
    told = far.filter(repetition__gte=REPETITIONS, case__acknowledged_at=None)
    for case in set(told.values_list("case_id", flat=True)):
        acknowledge(case, actor=cast.manager)


def _waits(cases: Sequence[UUID]) -> int:
    steps = CaseStep.objects.filter(case__in=cases, state=StepState.PENDING).count()
    return steps + Message.objects.filter(run_at__isnull=False).count()


# --- what is left -------------------------------------------------------------------------------------------------
def _count(cases: Sequence[UUID], expected: dict[int, set[tuple[str, str]]], there: Servers) -> list[Tally]:
    arrived = Counter(caught.message_id for caught in list(there.catcher.messages) if caught.channel == Channel.EMAIL)
    texts = Counter(caught.message_id for caught in list(there.catcher.messages) if caught.channel == Channel.SMS)
    rows = {row.dedup_key: row for row in Message.objects.filter(subject_id__in=[str(case) for case in cases])}
    events: defaultdict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    notified = CaseEvent.objects.filter(case__in=cases, kind=EventKind.NOTIFIED)
    for step_id, user, channel, new in notified.values_list("step", "recipient", "channel", "new"):
        events[step_id][str(user) if user else f"hook{new['chat']}", channel] += 1
    names = {0: "at once", 1: "told again until noticed", 2: "group by text", 3: "team chat", 4: "one level up"}
    lines = {ordinal: Tally(names[ordinal]) for ordinal in expected}
    for step in CaseStep.objects.filter(case__in=cases).order_by("pk"):
        line = lines[step.ordinal]
        line.due += 1
        line.fired += step.state == StepState.FIRED
        line.stopped += step.state == StepState.STOPPED
        line.open += step.state == StepState.PENDING
        told = expected[step.ordinal] if step.state == StepState.FIRED else set()
        line.notices += len(told)
        line.events += events[step.pk].total()
        line.doubled += sum(count - (one in told) for one, count in events[step.pk].items())
        for one in told:
            key = _key(step, *one)
            line.rows += key in rows
            line.missed += key not in rows or not events[step.pk][one]
            if key in rows and rows[key].state == MessageState.SENT:
                times = _times(rows[key], arrived, texts, there)
                line.delivered += times > 0
                line.repeated += max(0, times - 1)
    for line, missing in _gaps(cases, lines):
        line.missed += missing
    return list(lines.values())


def _key(step: CaseStep, recipient: str, channel: str) -> str:
    place = f"{step.ordinal}.{step.repetition}" if step.repetition else str(step.ordinal)
    return f"case:{step.case_id}:{step.round}:{place}:{recipient}:{channel}"


def _times(row: Message, mails: Counter[str], texts: Counter[str], there: Servers) -> int:
    """How often it reached its server."""
    if row.channel == Channel.EMAIL:
        return mails[message_id(row)]
    if row.channel == Channel.SMS:
        return texts[row.provider_id]
    return sum(count for body, count in there.chats.items() if row.subject_id in body)


def _gaps(cases: Sequence[UUID], lines: dict[int, Tally]) -> Iterator[tuple[Tally, int]]:
    """Repetitions are numbered without a gap, and the last one of each was stopped."""
    steps = CaseStep.objects.filter(case__in=cases)
    for ordinal, line in lines.items():
        of = steps.filter(ordinal=ordinal)
        numbered = list(of.values("case", "round").annotate(last=Max("repetition")))
        yield line, sum(row["last"] + 1 for row in numbered) - of.count()
        yield line, len(cases) - len(numbered)

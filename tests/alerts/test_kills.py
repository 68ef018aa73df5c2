"""Real loops on a real database and a real SMTP server, killed at random and at every step; no django-q2 anywhere.

What must hold afterwards (P3, P4, A3, A6): each step exactly one state, each notice exactly one row and one event,
each message to staff delivered at least once with the same Message-ID, each to a shopper at most once, none missed.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from alerts.actions import answer_shopper
from alerts.choices import EventKind, StepState
from alerts.models import CaseEvent, CaseStep
from alerts.policy import ensure_defaults
from core.leases import ClockNow
from demo.kill_run import PROCESSES, build_ladder, rehearse
from demo.kill_run import Cast as Rehearsed
from messaging.catcher import Catcher
from messaging.choices import Channel, MessageState
from messaging.models import Message
from messaging.work import message_id
from tests.alerts.conftest import open_case
from tests.alerts.processes import kill, start_worker, wait_until
from tests.factories import Chain

CASES, KILLS = 60, 10
SEED = 20261121
# Whom each rung of the ladder tells in the cast: the manager, manager and deputy, the area manager.
TOLD = {0: 1, 1: 2, 2: 1}


@pytest.fixture
def cast(transactional_db: None) -> Chain:
    ensure_defaults()
    return Chain()


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as running:
        yield running


def waiting(steps: QuerySet[CaseStep], messages: QuerySet[Message]) -> bool:
    return steps.filter(state=StepState.PENDING).exists() or messages.filter(run_at__isnull=False).exists()


def delivered(catcher: Catcher) -> Counter[str]:
    return Counter(caught.message_id for caught in list(catcher.messages) if caught.channel == Channel.EMAIL)


def check_notices() -> None:
    """One row and one event for each that a fired step tells; none for a stopped one."""
    events = CaseEvent.objects.filter(kind=EventKind.NOTIFIED)
    rows = Counter(Message.objects.filter(user__isnull=False).values_list("dedup_key", flat=True))
    for step in CaseStep.objects.all():
        told = list(events.filter(step=step).values_list("recipient", "channel"))
        keys = [f"case:{step.case_id}:{step.round}:{step.ordinal}:{user}:{channel}" for user, channel in told]
        assert len(told) == (TOLD[step.ordinal] if step.state == StepState.FIRED else 0), step
        assert [rows[key] for key in keys] == [1] * len(told)
    assert events.count() == sum(rows.values())


def test_two_of_every_process_under_random_kills_miss_nothing_and_double_nothing(cast: Chain) -> None:
    """Steps for people, told again, for a group by text, for a team's chat; the same with 1,000 cases by `make bench`.

    The reading of words has no part in it and loads a model: it is left out here.
    """
    phones = {cast.deputy: "+380670000011", cast.head_office: "+380670000012"}
    for user, phone in phones.items():
        user.phone = phone
        user.save()
    told = build_ladder(Rehearsed(cast.store, cast.manager, cast.area_manager, tuple(phones)))
    cases = [open_case(cast, contact=None, words=f"Word {n}").pk for n in range(CASES)]
    found = rehearse(
        Rehearsed(cast.store, cast.manager, cast.area_manager, tuple(phones)),
        cases,
        told,
        kills=KILLS,
        seed=SEED,
        spread_secs=12,
        programs=[program for program in PROCESSES if "analysis" not in program],
        patience_secs=240,
    )
    assert found.whole, found.table()
    assert found.kills.total() == KILLS
    repeated = CaseStep.objects.filter(ordinal=1, repetition__gt=0)
    assert repeated.filter(state=StepState.FIRED).exists() and found.acknowledged == CASES
    _check_acknowledged_against_escalated()


def _check_acknowledged_against_escalated() -> None:
    """Whichever held the case's row first has won: a notice that was written was written before the tap."""
    for tap in CaseEvent.objects.filter(kind=EventKind.ACKNOWLEDGED):
        steps = CaseStep.objects.filter(case=tap.case_id, ordinal=1)
        for step in steps:
            notices = CaseEvent.objects.filter(step=step, kind=EventKind.NOTIFIED)
            assert all(notice.pk < tap.pk for notice in notices)
            assert notices.exists() == (step.state == StepState.FIRED)
        assert steps.order_by("-repetition")[0].state == StepState.STOPPED


def test_dying_at_any_step_loses_nothing(cast: Chain, catcher: Catcher, tmp_path: Path) -> None:
    """Each process reaches its own point and dies there; then one comes that lives."""
    points = ["claimed", "written", "committed", "message_claimed", "message_sending", "message_sent", "message_marked"]
    cases = [open_case(cast, contact=None) for _ in points]
    for point, case in zip(points, cases, strict=True):
        _put_off_everything()
        mine = case.steps.filter(ordinal=1) if "message" not in point else Message.objects.filter(subject_id=case.pk)
        mine.update(run_at=ClockNow())
        _die_at(point, catcher, tmp_path)
    texts = {point: _text_to_a_shopper(cast, point, catcher, tmp_path) for point in ("message_sending", "message_sent")}

    CaseStep.objects.filter(run_at__isnull=False).update(run_at=ClockNow())
    Message.objects.filter(run_at__isnull=False).update(run_at=ClockNow())
    worker = start_worker(catcher)
    try:
        assert wait_until(lambda: not waiting(CaseStep.objects.all(), Message.objects.all()), secs=40)
    finally:
        kill(worker)

    assert set(CaseStep.objects.filter(case__in=cases).values_list("state", flat=True)) == {StepState.FIRED}
    check_notices()
    to_staff = Message.objects.filter(user__isnull=False)
    assert set(to_staff.values_list("state", flat=True)) == {MessageState.SENT}
    times = delivered(catcher)
    assert set(times) == {message_id(message) for message in to_staff}
    # Who died between the server's yes and our note of it has sent twice; nobody knew better.
    doubled = Message.objects.get(subject_id=cases[points.index("message_sent")].pk, kind="case_notice")
    assert times[message_id(doubled)] == 2
    assert max(times.values()) == 2

    # To shoppers: called at most once, and what became of it is not guessed.
    assert {Message.objects.get(pk=pk).state for pk in texts.values()} == {MessageState.UNKNOWN}
    numbers = [caught.recipient for caught in catcher.messages if caught.channel == Channel.SMS]
    assert numbers == ["+380670000002"]


def _die_at(point: str, catcher: Catcher, folder: Path) -> None:
    once = folder / point
    once.touch()
    worker = start_worker(catcher, kill_at=f"{point}:{once}")
    try:
        assert worker.wait(timeout=30) == -signal.SIGKILL, point
    finally:
        if worker.poll() is None:
            kill(worker)


def _put_off_everything() -> None:
    """Leave the next process one thing to do: a step whose lease ran out meanwhile would send notices beside it."""
    later = timezone.now() + timedelta(hours=1)
    Message.objects.filter(run_at__isnull=False).update(run_at=later)
    CaseStep.objects.filter(run_at__isnull=False).update(run_at=later)


def _text_to_a_shopper(cast: Chain, point: str, catcher: Catcher, folder: Path) -> UUID:
    """An answer to a shopper who wishes to be texted; its sender dies at `point`."""
    number = "+38067000000" + ("1" if point == "message_sending" else "2")
    case = open_case(cast, contact=number)
    _put_off_everything()
    answer_shopper(case.pk, actor=cast.manager, text="Sorry.", form_id=uuid4())
    message = Message.objects.get(kind="case_answer", contact=case.response.contact)
    _die_at(point, catcher, folder)
    return message.pk

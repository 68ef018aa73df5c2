"""Real processes on a real database and real servers, killed at random and at every step (RELIABILITY F1, F2, F4–F8).

What must hold afterwards (P3, P4, A3, A6): each step exactly one state, each notice exactly one row and one event,
each message to staff delivered at least once with the same Message-ID, each to a shopper at most once, none missed.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.db.models import QuerySet
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from alerts.actions import answer_shopper
from alerts.choices import EventKind, StepState
from alerts.models import CaseEvent, CaseStep
from alerts.policy import ensure_defaults
from alerts.work import climb
from core.leases import ClockNow
from demo.kill_run import ACCOUNT, REPETITIONS, TOKEN, build_ladder, rehearse
from demo.kill_run import Cast as Rehearsed
from messaging.catcher import Catcher, Trouble
from messaging.choices import Channel, MessageState
from messaging.models import ChatHook, Message
from messaging.provider import MISSING
from messaging.work import message_id
from stores.models import User
from tests.alerts.conftest import open_case
from tests.alerts.processes import Workers, environment_with, wait_until
from tests.factories import Chain

CASES, KILLS = 24, 6
SEED = 20261121
# Longer than this nothing here takes on any machine that does it at all.
PATIENCE_SECS = 300
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


@pytest.fixture
def workers(cast: Chain, catcher: Catcher) -> Iterator[Workers]:
    with Workers(environment_with(catcher)) as running:
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


def test_two_of_each_process_under_random_kills_miss_nothing_and_double_nothing(cast: Chain) -> None:
    """Steps for people, told again, for a group by text, for a team's chat: of the processes those that have a part in
    it. The same with every process and 1,000 cases: `./run bench kills`.
    """
    phones = {cast.deputy: "+380670000011", cast.head_office: "+380670000012"}
    for user, phone in phones.items():
        user.phone = phone
        user.save()
    told = build_ladder(Rehearsed(cast.store, cast.manager, cast.area_manager, tuple(phones)))
    # Without words, so that the audit finds none unread and loads no model.
    cases = [open_case(cast, contact=None, words="").pk for _ in range(CASES)]
    found = rehearse(
        Rehearsed(cast.store, cast.manager, cast.area_manager, tuple(phones)),
        cases,
        told,
        kills=KILLS,
        seed=SEED,
        spread_secs=6,
        programs=[("work", "alerts", "facts"), ("audit",)],
        breed=Workers,
        # F5, F6: the servers are not well either, and what they took they may not say.
        troubles={
            Channel.EMAIL: [Trouble.BUSY, Trouble.DROP, Trouble.RESET] * 2,
            Channel.SMS: [Trouble.BUSY, Trouble.ERROR, Trouble.DROP, Trouble.RESET],
        },
        patience_secs=PATIENCE_SECS,
    )
    assert found.whole, found.table()
    assert found.kills.total() == KILLS
    repeated = CaseStep.objects.filter(ordinal=1, repetition__gt=0)
    assert repeated.filter(state=StepState.FIRED).exists() and found.acknowledged == CASES
    _check_acknowledged_against_escalated()


def test_clocks_that_jump_by_hours_neither_storm_nor_fall_silent(cast: Chain, tmp_path: Path) -> None:
    """RELIABILITY F8, A9: what is due is judged by one clock, the database's."""
    file = tmp_path / "offset"
    file.write_text("7200")
    jumps = threading.Event()

    def jump() -> None:
        for offset in itertools.cycle(("-7200", "3600", "-3600", "0", "7200")):
            if jumps.wait(1):
                return
            file.write_text(offset)

    rehearsed = Rehearsed(cast.store, cast.manager, cast.area_manager, (cast.head_office,))
    told = build_ladder(rehearsed)
    User.objects.filter(pk=cast.head_office.pk).update(phone="+380670000012")
    cases = [open_case(cast, contact=None).pk for _ in range(15)]
    program = (str(Path(__file__).with_name("wrong_clock.py")), str(file), "work", "alerts")
    thread = threading.Thread(target=jump)
    thread.start()
    try:
        found = rehearse(
            rehearsed, cases, told, kills=0, seed=SEED, spread_secs=4, programs=[program], patience_secs=PATIENCE_SECS
        )
    finally:
        jumps.set()
        thread.join()
    assert found.whole, found.table()
    # Told again after ten minutes of the database's clock, which nobody waits for here: once each was brought near.
    assert all(
        timedelta(minutes=5) < step.due_at - step.done_at < timedelta(minutes=11)
        for step in CaseStep.objects.filter(case__in=cases, repetition=REPETITIONS)
        if step.done_at
    )


def test_dying_around_a_repetition_leaves_one_next_step(cast: Chain, workers: Workers, tmp_path: Path) -> None:
    build_ladder(Rehearsed(cast.store, cast.manager, cast.area_manager, (cast.head_office,)))
    ChatHook.objects.all().delete()
    for point, left in (("written", StepState.PENDING), ("committed", StepState.FIRED)):
        case = open_case(cast, contact=None)
        _put_off_everything()
        case.steps.filter(ordinal=1).update(run_at=ClockNow())
        workers.die_at(point, tmp_path)
        first, *again = case.steps.filter(ordinal=1).order_by("repetition")
        assert (first.state, len(again)) == (left, int(left == StepState.FIRED))
        CaseStep.objects.filter(pk=first.pk, state=StepState.PENDING).update(lease_until=None, run_at=ClockNow())
        while climb():
            pass
        first, *again = case.steps.filter(ordinal=1).order_by("repetition")
        assert (first.state, [step.state for step in again]) == (StepState.FIRED, [StepState.PENDING])
        assert CaseEvent.objects.filter(step=first, kind=EventKind.NOTIFIED).count() == 1


def _check_acknowledged_against_escalated() -> None:
    """Whichever held the case's row first has won: a notice that was written was written before the tap."""
    for tap in CaseEvent.objects.filter(kind=EventKind.ACKNOWLEDGED):
        steps = CaseStep.objects.filter(case=tap.case_id, ordinal=1)
        for step in steps:
            notices = CaseEvent.objects.filter(step=step, kind=EventKind.NOTIFIED)
            assert all(notice.pk < tap.pk for notice in notices)
            assert notices.exists() == (step.state == StepState.FIRED)
        assert steps.order_by("-repetition")[0].state == StepState.STOPPED


def test_dying_at_any_step_loses_nothing(cast: Chain, catcher: Catcher, workers: Workers, tmp_path: Path) -> None:
    """Each process reaches its own point and dies there; then one comes that lives."""
    points = ["claimed", "written", "committed", "message_claimed", "message_sending", "message_sent", "message_marked"]
    cases = [open_case(cast, contact=None) for _ in points]
    for point, case in zip(points, cases, strict=True):
        _put_off_everything()
        mine = case.steps.filter(ordinal=1) if "message" not in point else Message.objects.filter(subject_id=case.pk)
        mine.update(run_at=ClockNow())
        workers.die_at(point, tmp_path)
    texts = {point: _text_to_a_shopper(cast, point, workers, tmp_path) for point in ("message_sending", "message_sent")}

    CaseStep.objects.filter(run_at__isnull=False).update(run_at=ClockNow())
    Message.objects.filter(run_at__isnull=False).update(run_at=ClockNow())
    worker = workers.start()
    try:
        assert wait_until(lambda: not waiting(CaseStep.objects.all(), Message.objects.all()))
    finally:
        worker.kill()

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

    # To shoppers: called at most once, and what became of it is not guessed but asked.
    assert {Message.objects.get(pk=pk).state for pk in texts.values()} <= {MessageState.UNKNOWN, MessageState.SENT}
    Message.objects.filter(ask_at__isnull=False).update(ask_at=ClockNow())
    worker = workers.start()
    try:
        assert wait_until(lambda: Message.objects.filter(provider_state=MISSING).exists())
        assert wait_until(lambda: Message.objects.filter(provider_state="delivered").exists())
    finally:
        worker.kill()
    settled = {point: Message.objects.get(pk=pk).state for point, pk in texts.items()}
    assert settled == {"message_sending": MessageState.UNKNOWN, "message_sent": MessageState.SENT}
    numbers = [caught.recipient for caught in catcher.messages if caught.channel == Channel.SMS]
    assert numbers == ["+380670000002"]


def test_who_died_before_noting_it_has_sent_it_says_the_provider(
    cast: Chain, catcher: Catcher, tmp_path: Path, live_server: LiveServer, settings: LazySettings
) -> None:
    """F7: its callbacks come while nobody works; whoever comes next leaves the message alone, and asks nobody."""
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = ACCOUNT, TOKEN
    settings.PUBLIC_URL = live_server.url
    with Workers(environment_with(catcher, live_server.url)) as workers:
        message = Message.objects.get(pk=_text_to_a_shopper(cast, "message_sent", workers, tmp_path))
    assert wait_until(lambda: Message.objects.filter(pk=message.pk, provider_state="delivered").exists())
    message.refresh_from_db()
    assert (message.state, message.run_at, message.ask_at) == (MessageState.SENT, None, None)
    assert [caught.recipient for caught in catcher.messages if caught.channel == Channel.SMS] == ["+380670000002"]


def _put_off_everything() -> None:
    """Leave the next process one thing to do: a step whose lease ran out meanwhile would send notices beside it."""
    later = timezone.now() + timedelta(hours=1)
    Message.objects.filter(run_at__isnull=False).update(run_at=later)
    CaseStep.objects.filter(run_at__isnull=False).update(run_at=later)


def _text_to_a_shopper(cast: Chain, point: str, workers: Workers, folder: Path) -> UUID:
    """An answer to a shopper who wishes to be texted; its sender dies at `point`."""
    number = "+38067000000" + ("1" if point == "message_sending" else "2")
    case = open_case(cast, contact=number)
    _put_off_everything()
    answer_shopper(case.pk, actor=cast.manager, text="Sorry.", form_id=uuid4())
    message = Message.objects.get(kind="case_answer", contact=case.response.contact)
    workers.die_at(point, folder)
    return message.pk

"""Two at the same moment; and, with the lock off, the proof that the moment was really met."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

import alerts.opening
from alerts.actions import acknowledge, erase
from alerts.choices import EventKind, StepState, Trigger
from alerts.models import Case, CaseEvent, CaseStep, Evaluation
from alerts.policy import ensure_defaults
from alerts.work import climb, run_evaluations
from core.leases import ClockNow
from messaging.models import Message
from sentiment.models import Analysis
from sentiment.signals import verbatim_analysed
from surveys.models import Response, Verbatim
from tests.alerts.conftest import give_contact, open_case, submit
from tests.factories import Chain, make_response
from tests.threads import PATIENCE_SECS, Beside


@pytest.fixture
def cast(transactional_db: None) -> Chain:
    ensure_defaults()
    return Chain()


def at_once(*jobs: Callable[[], object]) -> list[BaseException]:
    """Run the jobs in threads with connections of their own; returns what they raised."""
    start = threading.Barrier(len(jobs))
    others = [Beside(lambda job=job: (start.wait(timeout=PATIENCE_SECS), job())) for job in jobs]  # type: ignore[misc]
    for one in others:
        one.start()
    for one in others:
        one.join(PATIENCE_SECS)
    return [one.failed for one in others if one.failed]


@contextmanager
def meeting(monkeypatch: pytest.MonkeyPatch, name: str, parties: int, *, secs: float) -> Iterator[None]:
    """Everybody who has called `alerts.opening.<name>` waits there for the others, so many seconds."""
    together = threading.Barrier(parties)
    original = getattr(alerts.opening, name)

    def meet(*args: Any, **kwargs: Any) -> Any:
        found = original(*args, **kwargs)
        with suppress(threading.BrokenBarrierError):  # the others are held by a lock, as they should be
            together.wait(timeout=secs)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(alerts.opening, name, meet)
        yield


def two_of_the_same_shopper(chain: Chain) -> list[Response]:
    return [give_contact(make_response(touchpoint=chain.touchpoint, score=1)) for _ in range(2)]


def test_two_responses_of_one_address_make_one_case(cast: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    responses = two_of_the_same_shopper(cast)
    with meeting(monkeypatch, "open_case_of_contact", 2, secs=1):
        assert at_once(*(lambda r=r: submit(r) for r in responses)) == []
    assert Case.objects.count() == 1
    assert Case.objects.get().further_responses.count() == 1


def test_without_the_advisory_lock_they_make_two(cast: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoLock:
        @staticmethod
        @contextmanager
        def cursor() -> Iterator[Any]:
            with connection.cursor() as cursor:
                yield type("Mute", (), {"execute": lambda self, sql, params: cursor.execute("SELECT 1")})()

    monkeypatch.setattr(alerts.opening, "connection", NoLock)
    responses = two_of_the_same_shopper(cast)
    with meeting(monkeypatch, "open_case_of_contact", 2, secs=PATIENCE_SECS):
        at_once(*(lambda r=r: submit(r) for r in responses))
    assert Case.objects.count() == 2


def owed_evaluations(chain: Chain) -> Response:
    """Both triggers hold for a response that has no case yet."""
    response = make_response(touchpoint=chain.touchpoint, score=1, words="A disgrace indeed.")
    verbatim = Verbatim.objects.get(response=response)
    Analysis.objects.create(verbatim=verbatim, alarming=True, proven=True, analysed_at=timezone.now())
    Evaluation.objects.create(response=response, trigger=Trigger.SCORE, revision=1, run_at=ClockNow())
    Evaluation.objects.create(response=response, trigger=Trigger.TEXT, revision=0, verbatim=verbatim, run_at=ClockNow())
    return response


def test_both_triggers_judged_at_once_make_one_case_with_one_notice(cast: Chain) -> None:
    for _ in range(5):
        owed_evaluations(cast)
    assert at_once(*[run_evaluations] * 4) == []
    while run_evaluations():
        pass
    assert Case.objects.count() == 5
    assert Message.objects.filter(kind="case_notice").count() == 5
    assert CaseEvent.objects.filter(kind=EventKind.OPENED).count() == 5
    assert Evaluation.objects.filter(done_at=None).count() == 0


def test_two_loops_fire_each_step_once(cast: Chain) -> None:
    for _ in range(10):
        open_case(cast, contact=None)
    CaseStep.objects.filter(state=StepState.PENDING).update(run_at=ClockNow())
    assert at_once(*[climb] * 4) == []
    assert not CaseStep.objects.filter(state=StepState.PENDING).exists()
    assert CaseEvent.objects.filter(kind=EventKind.NOTIFIED).count() == Message.objects.count() == 40


def acknowledge_against_the_step(chain: Chain) -> tuple[str, bool]:
    """The step sees what it must see, then the manager taps; returns its outcome and whether the tap came first."""
    case = open_case(chain, contact=None)
    CaseStep.objects.filter(case=case, ordinal=1).update(run_at=ClockNow())
    tap = Beside(lambda: acknowledge(case.pk, actor=chain.manager))
    original = alerts.work.is_stopped

    def slowly(step: CaseStep, locked: Case) -> bool:
        stopped = original(step, locked)
        tap.until_held()
        return stopped

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(alerts.work, "is_stopped", slowly)
        climb()
    tap.end()
    tapped = CaseEvent.objects.get(case=case, kind=EventKind.ACKNOWLEDGED)
    notices = CaseEvent.objects.filter(case=case, step__ordinal=1, kind=EventKind.NOTIFIED)
    return CaseStep.objects.get(case=case, ordinal=1).state, any(notice.pk > tapped.pk for notice in notices)


def test_a_tap_during_the_step_waits_for_it_and_is_recorded_as_crossed(cast: Chain) -> None:
    state, notified_after_tap = acknowledge_against_the_step(cast)
    assert state == StepState.FIRED
    assert not notified_after_tap
    assert CaseEvent.objects.filter(kind=EventKind.CROSSED).count() == 1


def test_without_the_lock_a_case_is_escalated_after_it_was_acknowledged(
    cast: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = QuerySet.select_for_update

    def unlocked(self: QuerySet[Any], **options: Any) -> QuerySet[Any]:
        return self.all() if self.model is Case else real(self, **options)

    monkeypatch.setattr(QuerySet, "select_for_update", unlocked)
    state, notified_after_tap = acknowledge_against_the_step(cast)
    assert state == StepState.FIRED
    assert notified_after_tap


def test_deleting_what_is_just_being_read_does_not_deadlock(cast: Chain) -> None:
    response = open_case(cast, words="A disgrace.").response
    analysis = Analysis.objects.get(verbatim__response=response)
    deleting = Beside(lambda: erase(response.pk))
    with transaction.atomic():
        Analysis.objects.filter(pk=analysis.pk).update(analysed_at=timezone.now())
        deleting.until_held()
        verbatim_analysed.send(sender=Analysis, analysis=analysis)
    deleting.end()

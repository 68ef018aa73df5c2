"""What the lane `alerts` does: judge what is due, climb the ladders, ask whether it was solved."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from alerts.actions import ask_shopper, give_up_waiting
from alerts.choices import TO_DO, CaseState, EventKind, ReviewState, StepState, StopsOn
from alerts.ladder import Policy
from alerts.models import Case, CaseEvent, CaseStep, Evaluation, Review, Verification
from alerts.notices import CASE_ESCALATED, Written, add_step_notices
from alerts.opening import judge, tell_again
from alerts.queries import events_that_stand, is_reachable
from alerts.reviews import leave_queue
from alerts.signals import case_changed
from core.faults import kill_point
from core.leases import Claim, ClockNow, Leased, LeaseLost, claim, finish, from_now, retry_delay
from core.work import register_step, register_watch
from stores.queries import people_by_role
from surveys.models import Response

log = structlog.get_logger()
BATCH = 50
# All of this is a few statements on our own database: whoever takes longer is dead.
LEASE = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(seconds=60)
_PATIENCE_SECS = 30
Row = TypeVar("Row", bound=Leased)


def _work_off(rows: QuerySet[Row], do: Callable[[Claim[Row]], None]) -> int:
    """Claim due rows and do each in a transaction of its own; one that fails steps aside and is tried again for ever,
    for no alert may be given up. The audit sees what stays overdue."""
    claims = claim(rows, limit=BATCH, lease=LEASE)
    for one in claims:
        kill_point("claimed")
        try:
            with transaction.atomic():
                do(one)
                kill_point("written")
            kill_point("committed")
        except LeaseLost:
            log.info("another worker took over", row=str(one.row))
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("work failed", row=str(one.row), attempt=one.row.attempts)
            _step_aside(one, error)
    return len(claims)


def _step_aside(claimed: Claim[Row], error: Exception) -> None:
    later = from_now(min(retry_delay(claimed.row.attempts), _LONGEST_WAIT))
    fields = {field.name for field in type(claimed.row)._meta.get_fields()}
    named = {"last_error": type(error).__name__} if "last_error" in fields else {}
    finish(claimed, run_at=later, **named)


def _finish(claimed: Claim[Row], **changes: object) -> None:
    if not finish(claimed, **changes):
        raise LeaseLost


# --- rules ----------------------------------------------------------------------------------------------------
def run_evaluations() -> int:
    """Run the rules that are owed: text rules, and score rules that failed at the submission."""
    return _work_off(Evaluation.objects.all(), _evaluate)


def _evaluate(claimed: Claim[Evaluation]) -> None:
    # Whoever corrects the answers holds this row too.
    response = (
        Response.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store__node", "contact")
        .get(pk=claimed.row.response_id)
    )
    judge(claimed.row, response, fresh=False)
    _finish(claimed, done_at=timezone.now(), last_error="")


# --- the ladder -----------------------------------------------------------------------------------------------
def climb() -> int:
    """Fire the steps that are due, or stop those that are not needed any more."""
    return _work_off(CaseStep.objects.filter(state=StepState.PENDING), _climb)


def _lock_case(case_id: UUID) -> tuple[Case, datetime]:
    """The row that acknowledging locks as well, so that one of the two comes first and the other sees it; and the
    database's moment."""
    related = ("store__node", "response__contact")
    held = Case.objects.select_for_update(of=("self",)).select_related(*related)
    case = held.annotate(clock=ClockNow()).get(pk=case_id)
    return case, case.clock


def _climb(claimed: Claim[CaseStep]) -> None:
    step = claimed.row
    # By the clock that found the step due: a machine whose own is wrong must neither storm nor fall silent.
    case, now = _lock_case(step.case_id)
    if is_stopped(step, case):
        _finish(claimed, state=StepState.STOPPED, done_at=now)
        return
    _finish(claimed, state=StepState.FIRED, done_at=now)
    rung = Policy.of(case.policy).rungs[step.ordinal]
    written = Written()
    if step.level > case.level and not step.repetition:
        written.events.append(
            CaseEvent(case=case, kind=EventKind.ESCALATED, at=now, step=step, new={"level": step.level})
        )
    people = people_by_role(case.store)
    add_step_notices(written, case, step, rung, people=people, at=now, kind=CASE_ESCALATED)
    written.save()
    if rung.every:
        tell_again(case, step, rung, at=now)
    case.version += 1
    case.save(update_fields=["version"])
    case_changed.send(sender=Case, case=case)


def is_stopped(step: CaseStep, case: Case) -> bool:
    """Whether what this step waits for has happened in its round. The case's row must be locked."""
    if step.round != case.round or case.state not in TO_DO:
        return True
    if step.stops_on == StopsOn.NEVER:
        return False
    if case.state == CaseState.CONTACTED:
        return True
    fixed = events_that_stand(case.events.filter(kind=EventKind.FIXED, new__round=case.round))
    if not is_reachable(case.response) and fixed.exists():
        return True
    return step.stops_on == StopsOn.ACKNOWLEDGE and case.state != CaseState.OPEN


# --- the two questions ----------------------------------------------------------------------------------------
def follow_verifications() -> int:
    """Ask the shopper when it is time; later stop waiting for the answer."""
    return _work_off(Verification.objects.filter(answered_at=None), _follow)


def _follow(claimed: Claim[Verification]) -> None:
    verification = claimed.row
    _case, now = _lock_case(verification.case_id)
    if verification.asked_at is None:
        _finish(claimed, asked_at=now, run_at=from_now(settings.VERIFICATION_WINDOW), attempts=0)
        ask_shopper(verification, at=now)
    else:
        _finish(claimed)
        give_up_waiting(verification, at=now)


# --- words that nobody has read -------------------------------------------------------------------------------
def expire_reviews() -> int:
    """Take words out of the queue that nobody has read in time; that nobody did stays to be seen."""
    return _work_off(Review.objects.filter(state=ReviewState.PENDING), _expire)


def _expire(claimed: Claim[Review]) -> None:
    review = Review.objects.select_for_update().get(pk=claimed.row.pk)
    if review.lease_token != claimed.token or review.state != ReviewState.PENDING:
        raise LeaseLost
    leave_queue(review, ReviewState.EXPIRED, at=timezone.now())


# --- what the audit looks at ----------------------------------------------------------------------------------
def _overdue(model: type[models.Model]) -> Callable[[int], int]:
    def count(patience_secs: int) -> int:
        return model._default_manager.filter(run_at__lt=from_now(-timedelta(seconds=patience_secs))).count()

    return count


register_step("alerts", "evaluations", run_evaluations)
register_step("alerts", "steps", climb)
register_step("alerts", "verifications", follow_verifications)
register_step("alerts", "reviews", expire_reviews)
register_watch("responses unjudged", _PATIENCE_SECS, _overdue(Evaluation))
register_watch("steps overdue", _PATIENCE_SECS, _overdue(CaseStep))
register_watch("verifications overdue", _PATIENCE_SECS, _overdue(Verification))
register_watch("reviews overdue", _PATIENCE_SECS, _overdue(Review))

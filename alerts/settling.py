"""Leaving a case out of its store's shares, looking at what was left out, and taking the last step back."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from alerts.actions import start_round
from alerts.changing import ActionRefused, Change, changing, cleaned, once, require_to_do
from alerts.choices import (
    EXEMPT_REASONS,
    CaseState,
    EntryKind,
    EventKind,
    Exemption,
    StepState,
)
from alerts.models import Case, CaseEntry, CaseEvent, CaseStep, LastStep, Verification
from core.leases import ClockNow
from stores.models import User

UNDO_WITHIN = timedelta(minutes=10)


@once
def leave_out(
    case_id: UUID,
    *,
    actor: User,
    exemption: str,
    reason: str,
    note: str = "",
    form_id: UUID | str,
    at: datetime | None = None,
) -> None:
    """Close a case that is no complaint, or is about what the store cannot change, and say why.

    It leaves the store's shares and stands beside them; people above the store look at a sample of such cases.
    """
    words = cleaned(note, required=False)
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        case = change.case
        require_to_do(case)
        if exemption not in Exemption.values or reason not in EXEMPT_REASONS[Exemption(exemption)]:
            raise ActionRefused(_("Please choose a reason."))
        change.take_notice()
        case.exemption, case.exempt_reason, case.closed_at = exemption, reason, change.at
        moved = change.move(CaseState.DISMISSED)
        change.event(
            EventKind.DISMISSED, old=moved["old"], new=moved["new"] | {"exemption": exemption, "reason": reason}
        )
        if words:
            change.entry(EntryKind.NOTE, words)


@once
def agree(case_id: UUID, *, actor: User, form_id: UUID | str, at: datetime | None = None) -> None:
    """Somebody above the store finds it right that the case was left out."""
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        _require_left_out(change.case)
        change.event(EventKind.SAMPLED, new={"agreed": True})


@once
def bring_back(case_id: UUID, *, actor: User, form_id: UUID | str, at: datetime | None = None) -> None:
    """It was a complaint after all: a new round at the same level, and back into the store's shares."""
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        _require_left_out(change.case)
        change.for_good = True
        start_round(change, EventKind.TAKEN_BACK, rise=0, said={"agreed": False})


def _require_left_out(case: Case) -> None:
    if case.state != CaseState.DISMISSED:
        raise ActionRefused(_("This case is not left out any more."))


# --- taking the last step back ------------------------------------------------------------------------------------
def last_step_of(case: Case, actor: User, now: datetime | None = None) -> LastStep | None:
    """What this person may still take back: their own last step, as long as nothing else has happened."""
    step = LastStep.objects.filter(case=case, actor=actor, version=case.version).first()
    if step is None or step.at < (now or timezone.now()) - UNDO_WITHIN:
        return None
    return step


@once
def undo(case_id: UUID, *, actor: User, form_id: UUID | str, at: datetime | None = None) -> None:
    """Take the last step back. It stays in the record, with the mark that it counts no more."""
    with changing(case_id, actor=actor, at=at, form_id=form_id) as change:
        case = change.case
        step = last_step_of(case, actor, change.at)
        if step is None:
            raise ActionRefused(_("This cannot be taken back any more."))
        change.for_good = True
        events = list(CaseEvent.objects.filter(pk__in=step.events, case=case))
        _drop_question(case, step)
        _restore(change, step.before)
        # Words of the step were never meant; what happened and when stays in the events.
        forms = [event.new["form_id"] for event in events if "form_id" in event.new]
        CaseEntry.objects.filter(case=case, form_id__in=forms).delete()
        for event in events:
            change.event(EventKind.UNDONE, old=event.new, new=event.old, undoes=event)
        # What the step had stopped may be due by now.
        stopped = CaseStep.objects.filter(case=case, round=case.round, state=StepState.STOPPED, done_at__gte=step.at)
        stopped.update(state=StepState.PENDING, run_at=ClockNow(), done_at=None, lease_token=None, lease_until=None)
        step.delete()


def _restore(change: Change, before: dict[str, Any]) -> None:
    for name, value in before.items():
        field = Case._meta.get_field(name.removesuffix("_id"))
        assert isinstance(field, models.Field)
        setattr(change.case, name, value if name.endswith("_id") else field.to_python(value))


def _drop_question(case: Case, step: LastStep) -> None:
    """The two questions that the step had put on the list; once they are asked it is too late."""
    if step.label != EventKind.RESOLVED:
        return
    questions = Verification.objects.filter(case=case, round=case.round)
    if questions.filter(asked_at__isnull=False).exists():
        raise ActionRefused(_("This cannot be taken back any more."))
    questions.delete()

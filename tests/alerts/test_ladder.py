"""Who is told when, and what stops it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from alerts import actions
from alerts.choices import EventKind, StepState
from alerts.models import Case, CaseEvent, CaseStep
from alerts.work import climb
from core.leases import ClockNow, from_now
from messaging.models import Message
from stores.models import RoleAssignment, User
from tests.alerts.conftest import open_case
from tests.factories import Chain


def reach(case: Case, ordinal: int) -> CaseStep:
    """Time passes until this step is due; the loop runs twice."""
    CaseStep.objects.filter(case=case, ordinal=ordinal, round=case.round).update(run_at=ClockNow())
    climb()
    assert climb() == 0
    return CaseStep.objects.get(case=case, ordinal=ordinal, round=case.round)


def told(kind: str = "case_escalated") -> list[User]:
    return [m.user for m in Message.objects.filter(kind=kind).order_by("pk") if m.user]


def test_nothing_is_early(chain: Chain) -> None:
    open_case(chain)
    assert climb() == 0


def test_fifteen_minutes_to_manager_and_deputy_thirty_to_the_area_manager(chain: Chain) -> None:
    case = open_case(chain)
    assert reach(case, 1).state == StepState.FIRED
    assert set(told()) == {chain.manager, chain.deputy}
    assert reach(case, 2).state == StepState.FIRED
    assert set(told()) == {chain.manager, chain.deputy, chain.area_manager}
    notified = CaseEvent.objects.filter(kind=EventKind.NOTIFIED)
    assert notified.count() == Message.objects.count() == 4
    assert case.events.filter(kind=EventKind.ESCALATED).count() == 1
    case.refresh_from_db()
    assert case.version == 3


def test_acknowledging_stops_the_second_notice_but_not_the_area_manager(chain: Chain) -> None:
    case = open_case(chain)
    actions.acknowledge(case.pk, actor=chain.manager)
    assert reach(case, 1).state == StepState.STOPPED
    assert reach(case, 2).state == StepState.FIRED
    assert told() == [chain.area_manager]


@pytest.mark.parametrize(("reached", "state"), [(True, StepState.STOPPED), (False, StepState.FIRED)])
def test_only_a_real_contact_stops_the_area_manager(chain: Chain, reached: bool, state: str) -> None:
    case = open_case(chain)
    actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=reached, form_id=uuid4())
    assert reach(case, 2).state == state


def test_a_recorded_action_stops_a_fix_only_ladder(chain: Chain) -> None:
    case = open_case(chain, contact=None)
    actions.acknowledge(case.pk, actor=chain.manager)
    actions.record_action(case.pk, actor=chain.manager, text="Mopped the floor.", form_id=uuid4())
    assert reach(case, 1).state == StepState.STOPPED
    assert reach(case, 2).state == StepState.STOPPED


def test_an_action_does_not_stop_the_ladder_of_a_shopper_who_waits_for_a_call(chain: Chain) -> None:
    case = open_case(chain)
    actions.record_action(case.pk, actor=chain.manager, text="Mopped the floor.", form_id=uuid4())
    assert reach(case, 2).state == StepState.FIRED


def test_a_new_round_leaves_the_old_ladder_behind(chain: Chain, root_cause: Any) -> None:
    case = open_case(chain, contact=None)
    actions.resolve(
        case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", text="Fixed.", form_id=uuid4()
    )
    actions.confirm(case.response_id, contacted=False, solved=False)
    CaseStep.objects.filter(round=0, state=StepState.PENDING).update(run_at=ClockNow())
    climb()
    assert set(CaseStep.objects.filter(round=0).values_list("state", flat=True)) == {
        StepState.FIRED,
        StepState.STOPPED,
    }
    case.refresh_from_db()
    # What was done in the first round does not stop the second.
    assert reach(case, 2).state == StepState.FIRED
    assert told() == [chain.head_office]


def test_nobody_to_tell_passes_upwards(chain: Chain) -> None:
    case = open_case(chain)
    RoleAssignment.objects.filter(user=chain.area_manager).delete()
    reach(case, 2)
    assert told() == [chain.head_office]


def test_a_step_that_fails_steps_aside_for_the_others(chain: Chain) -> None:
    broken, good = open_case(chain, contact=None), open_case(chain, contact=None)
    Case.objects.filter(pk=broken.pk).update(policy={"target": 30})
    CaseStep.objects.filter(ordinal=1).update(run_at=ClockNow())
    climb()
    steps = {step.case_id: step for step in CaseStep.objects.filter(ordinal=1)}
    assert steps[good.pk].state == StepState.FIRED
    assert steps[broken.pk].state == StepState.PENDING
    assert steps[broken.pk].run_at and steps[broken.pk].lease_token is None


def test_a_lease_that_ran_out_is_taken_over_and_the_late_one_changes_nothing(chain: Chain) -> None:
    from alerts.work import _climb
    from core.leases import LeaseLost, claim

    open_case(chain)
    pending = CaseStep.objects.filter(ordinal=1)
    pending.update(run_at=ClockNow())
    (slow,) = claim(pending, limit=5, lease=timedelta(seconds=10))
    assert climb() == 0
    pending.update(lease_until=from_now(-timedelta(seconds=1)))
    assert climb() == 1
    messages = Message.objects.count()
    with pytest.raises(LeaseLost):
        _climb(slow)
    assert pending.get().state == StepState.FIRED
    assert Message.objects.count() == messages

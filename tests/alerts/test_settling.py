"""Out of the shares and back, the last step taken back, a case handed over, and how long everything took."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from alerts import actions, settling
from alerts.changing import ActionRefused
from alerts.choices import CaseState, EntryKind, EventKind, StepState
from alerts.closing import closing_of, sample_for
from alerts.models import Case, CaseEvent, LastStep, RootCause, Verification
from alerts.times import times_of
from alerts.work import climb
from messaging.models import Message
from stores.choices import Role
from stores.models import OpeningInterval, RoleAssignment, Store
from tests.alerts.conftest import open_case
from tests.factories import Chain, new_form_id

pytestmark = pytest.mark.django_db
OUT: dict[str, Any] = {"exemption": "outside", "reason": "weather"}


def state_of(case: Case) -> str:
    return Case.objects.get(pk=case.pk).state


def test_left_out_in_one_tap_with_a_reason(client: Client, chain: Chain) -> None:
    case = open_case(chain)
    client.force_login(chain.manager)
    sent = {"action": "leave_out", "form_id": new_form_id(), "why": "carrier"}
    assert client.post(f"/cases/{case.pk}/", sent).status_code == 303
    case.refresh_from_db()
    assert (case.state, case.exemption, case.exempt_reason) == (CaseState.DISMISSED, "outside", "carrier")
    assert case.closed_at and not case.verifications.exists()
    event = case.events.get(kind=EventKind.DISMISSED)
    assert event.actor == chain.manager and event.new["reason"] == "carrier"
    # Nobody climbs its ladder any more.
    case.steps.filter(state=StepState.PENDING).update(run_at=case.opened_at - timedelta(hours=1))
    climb()
    assert not case.steps.filter(state=StepState.PENDING).exists()
    assert not case.events.filter(kind=EventKind.ESCALATED).exists()
    with pytest.raises(ActionRefused):
        settling.leave_out(case.pk, actor=chain.manager, form_id=new_form_id(), exemption="outside", reason="content")


def test_the_area_looks_at_a_sample_and_brings_one_back(client: Client, chain: Chain) -> None:
    first, second = open_case(chain, contact="a@example.org"), open_case(chain, contact="b@example.org")
    for case in (first, second):
        settling.leave_out(case.pk, actor=chain.manager, form_id=new_form_id(), **OUT)
    client.force_login(chain.manager)
    brings = {"action": "bring_back", "form_id": new_form_id()}
    assert client.post(f"/cases/{first.pk}/", brings).status_code == 403
    client.force_login(chain.area_manager)
    page = client.get("/inbox/sample/").content.decode()
    assert str(first.pk) in page and str(second.pk) in page
    assert client.post(f"/cases/{first.pk}/", brings).status_code == 303
    assert client.post(f"/cases/{second.pk}/", {"action": "agree", "form_id": new_form_id()}).status_code == 303
    first.refresh_from_db()
    assert (first.state, first.round, first.exemption, first.level) == (CaseState.OPEN, 1, "", 0)
    assert first.steps.filter(round=1).exists() and Message.objects.filter(user=chain.manager).count() >= 2
    assert state_of(second) == CaseState.DISMISSED
    assert sample_for(Store.objects.all()) == []
    [row] = closing_of(Store.objects.all()).left_out
    assert (row.opened, row.outside, row.looked_at, row.brought_back) == (2, 1, 2, 1)


def test_leading_another_area_judges_no_case_of_ones_own_store(client: Client, chain: Chain) -> None:
    case = open_case(chain)
    settling.leave_out(case.pk, actor=chain.manager, form_id=new_form_id(), **OUT)
    RoleAssignment.objects.create(user=chain.manager, role=Role.AREA_MANAGER, node=chain.other_area)
    client.force_login(chain.manager)
    assert "Rightly left out" not in client.get(f"/cases/{case.pk}/").content.decode()
    for action in ("agree", "bring_back"):
        answer = client.post(f"/cases/{case.pk}/", {"action": action, "form_id": new_form_id()})
        assert answer.status_code == 403


def test_the_last_step_is_taken_back_and_stays_on_record(chain: Chain, root_cause: RootCause) -> None:
    case = open_case(chain)
    case.refresh_from_db()
    before = {name: getattr(case, name) for name in ("state", "acknowledged_at", "attempted_at", "contacted_at")}
    actions.record_contact(
        case.pk, actor=chain.manager, channel="email", reached=True, note="Not so.", form_id=new_form_id()
    )
    with pytest.raises(ActionRefused):
        settling.undo(case.pk, actor=chain.deputy, form_id=new_form_id())
    form = new_form_id()
    settling.undo(case.pk, actor=chain.manager, form_id=form)
    settling.undo(case.pk, actor=chain.manager, form_id=form)
    case.refresh_from_db()
    assert {name: getattr(case, name) for name in before} == before
    assert case.contacted_open_secs is None and not case.entries.exists()
    undone = case.events.filter(kind=EventKind.UNDONE)
    assert {event.undoes.kind for event in undone if event.undoes} == {EventKind.ACKNOWLEDGED, EventKind.CONTACTED}
    # What was taken back counts no more: nobody has tried to reach the shopper.
    with pytest.raises(ActionRefused):
        actions.resolve(
            case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", form_id=new_form_id()
        )


def test_a_resolution_taken_back_asks_nobody(chain: Chain, root_cause: RootCause) -> None:
    case = open_case(chain, contact=None)
    resolve: dict[str, Any] = {
        "actor": chain.manager,
        "root_cause_id": root_cause.pk,
        "outcome": "put_right",
        "text": "Mended.",
    }
    actions.resolve(case.pk, form_id=new_form_id(), **resolve)
    settling.undo(case.pk, actor=chain.manager, form_id=new_form_id())
    case.refresh_from_db()
    assert case.state == CaseState.OPEN and not case.root_cause and not case.outcome and not case.resolved_at
    assert not Verification.objects.exists() and not case.entries.filter(kind=EntryKind.ACTION).exists()
    actions.resolve(case.pk, form_id=new_form_id(), **resolve)
    Verification.objects.update(asked_at=case.opened_at)
    with pytest.raises(ActionRefused):
        settling.undo(case.pk, actor=chain.manager, form_id=new_form_id())


def test_a_step_that_was_stopped_meanwhile_fires_after_all(chain: Chain) -> None:
    case = open_case(chain)
    actions.acknowledge(case.pk, actor=chain.manager)
    waiting = case.steps.filter(stops_on="acknowledge")
    waiting.update(run_at=case.opened_at - timedelta(minutes=1))
    climb()
    assert waiting.get().state == StepState.STOPPED
    settling.undo(case.pk, actor=chain.manager, form_id=new_form_id())
    climb()
    assert waiting.get().state == StepState.FIRED
    assert CaseEvent.objects.filter(case=case, kind=EventKind.NOTIFIED, recipient=chain.deputy).exists()


def test_an_answer_that_has_left_cannot_be_taken_back_nor_anything_late(chain: Chain) -> None:
    case = open_case(chain)
    actions.answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=new_form_id())
    with pytest.raises(ActionRefused):
        settling.undo(case.pk, actor=chain.manager, form_id=new_form_id())
    other = open_case(chain, contact="b@example.org")
    actions.acknowledge(other.pk, actor=chain.manager)
    step = LastStep.objects.get(case=other)
    with pytest.raises(ActionRefused):
        late = step.at + settling.UNDO_WITHIN + timedelta(seconds=1)
        settling.undo(other.pk, actor=chain.manager, form_id=new_form_id(), at=late)


def test_handed_over_by_hand(client: Client, chain: Chain) -> None:
    case = open_case(chain)
    Message.objects.all().delete()
    client.force_login(chain.manager)
    page = client.get(f"/cases/{case.pk}/").content.decode()
    assert f'<option value="{chain.deputy.pk}">' in page and f'<option value="{chain.foreign_manager.pk}">' not in page
    to = {"action": "hand_over", "form_id": new_form_id(), "note": "You know her."}
    assert client.post(f"/cases/{case.pk}/", to | {"to": chain.foreign_manager.pk}).status_code == 422
    assert client.post(f"/cases/{case.pk}/", to | {"to": chain.deputy.pk}).status_code == 303
    case.refresh_from_db()
    assert case.owner == chain.deputy
    assert [message.user for message in Message.objects.all()] == [chain.deputy]
    event = case.events.get(kind=EventKind.HANDED_OVER)
    assert (event.old, event.new["owner"]) == ({"owner": chain.manager.pk}, chain.deputy.pk)


def test_a_tap_on_the_number_is_on_record_and_is_no_contact(client: Client, chain: Chain) -> None:
    case = open_case(chain, contact="+380501112233")
    client.force_login(chain.manager)
    sent = {"action": "start", "form_id": new_form_id(), "channel": "call"}
    assert client.post(f"/cases/{case.pk}/", sent).status_code == 303
    case.refresh_from_db()
    assert case.state == CaseState.ACKNOWLEDGED and not case.attempted_at and not case.contacted_at
    assert case.events.get(kind=EventKind.STARTED).new["channel"] == "call"


def test_times_in_open_minutes_and_by_the_clock_and_never_rewritten(chain: Chain, root_cause: RootCause) -> None:
    """Ten minutes before closing, answered twenty minutes after the next opening."""
    store, zone = chain.store, ZoneInfo("Europe/Kyiv")
    OpeningInterval.objects.filter(store=store).update(opens=time(10), closes=time(20))
    opened = datetime(2026, 3, 3, 19, 50, tzinfo=zone)
    with time_machine.travel(opened, tick=False):
        case = open_case(chain)
    case.refresh_from_db()
    actions.record_contact(
        case.pk,
        actor=chain.manager,
        channel="email",
        reached=True,
        form_id=new_form_id(),
        at=datetime(2026, 3, 4, 10, 20, tzinfo=zone),
    )
    OpeningInterval.objects.filter(store=store).update(opens=time(0), closes=time(0))
    case.refresh_from_db()
    assert (case.acknowledged_open_secs, case.contacted_open_secs) == (1800, 1800)
    acknowledged, contacted = times_of(case)
    assert (contacted.in_open, contacted.in_wall) == ("30 min", "14 h 30 min")
    assert acknowledged.open == timedelta(minutes=30)
    again = datetime(2026, 3, 4, 11, 0, tzinfo=zone)
    actions.resolve(
        case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="explained", form_id=new_form_id(), at=again
    )
    case.refresh_from_db()
    assert case.contacted_open_secs == 1800 and case.resolved_open_secs == (15 * 60 + 10) * 60


def test_an_outcome_is_required(chain: Chain, root_cause: RootCause) -> None:
    case = open_case(chain, contact=None)
    for outcome in ("", "whatever"):
        with pytest.raises(ActionRefused):
            actions.resolve(
                case.pk,
                actor=chain.manager,
                root_cause_id=root_cause.pk,
                outcome=outcome,
                text="Mended.",
                form_id=new_form_id(),
            )
    assert state_of(case) == CaseState.OPEN

"""Steps that head office has made: whom they tell, by what, how often; and the way of what is urgent."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from alerts import actions
from alerts.choices import EventKind, Severity, StepState
from alerts.ladder import Policy, Rung, parse_policy
from alerts.models import AlertGroup, Case, CaseEvent, CasePolicy, CaseStep, RootCause, Rule, UrgencyRoute
from alerts.policy import DEFAULT_POLICY, URGENT_POLICY
from alerts.renderers import render_notice, while_closed
from alerts.work import climb, run_evaluations
from core.leases import ClockNow
from messaging.choices import Channel
from messaging.models import ChatHook, Message
from sentiment.models import Analysis
from sentiment.signals import verbatim_analysed
from stores.choices import Role
from stores.models import Absence, User
from surveys.models import Verbatim
from tests.alerts.conftest import open_case, submit
from tests.factories import Chain, make_response, make_user


def usual(policy: Policy) -> None:
    CasePolicy.objects.filter(usual=True).update(content=policy.as_json())


def told(**those: Any) -> list[tuple[User, str]]:
    rows = Message.objects.filter(user__isnull=False, **those).select_related("user").order_by("user_id", "created_at")
    return [(message.user, message.channel) for message in rows if message.user]


def run_due(case: Case) -> None:
    CaseStep.objects.filter(case=case, state=StepState.PENDING).update(run_at=ClockNow())
    climb()


AT_ONCE = Rung(0, ("answering",), "never")


def test_a_step_repeats_until_somebody_takes_notice_each_time_one_row_and_one_event(chain: Chain) -> None:
    usual(Policy(30, (AT_ONCE, Rung(5, ("area",), "acknowledge", counted="wall", every=10))))
    case = open_case(chain, contact=None)
    for _again in range(3):
        run_due(case)
        climb()
    steps = case.steps.filter(ordinal=1).order_by("repetition")
    assert [(step.repetition, step.state) for step in steps] == [
        (0, "fired"), (1, "fired"), (2, "fired"), (3, "pending"),
    ]  # fmt: skip
    last = steps.last()
    assert last and timedelta(minutes=9) < last.due_at - timezone.now() <= timedelta(minutes=10)
    assert len(told(user=chain.area_manager)) == 3
    assert CaseEvent.objects.filter(kind=EventKind.NOTIFIED, recipient=chain.area_manager).count() == 3
    assert case.events.filter(kind=EventKind.ESCALATED).count() == 1
    actions.acknowledge(case.pk, actor=chain.manager)
    run_due(case)
    assert case.steps.get(repetition=3).state == StepState.STOPPED
    assert case.steps.filter(ordinal=1).count() == 4
    assert len(told(user=chain.area_manager)) == 3


def test_a_step_tells_a_group_and_a_person_by_its_channel_and_nobody_outside_their_reach(chain: Chain) -> None:
    lawyer = make_user(email="lawyer@chain.example", role=Role.AREA_MANAGER, node=chain.root)
    User.objects.filter(pk=lawyer.pk).update(phone="+380670000099")
    group = AlertGroup.objects.create(name="Law")
    group.members.set([lawyer, chain.foreign_area_manager])
    named = (f"group:{group.pk}", f"person:{chain.head_office.pk}")
    usual(Policy(30, (AT_ONCE, Rung(0, named, "never", channel="sms"))))
    open_case(chain, contact=None)
    assert sorted(told(), key=lambda one: one[0].pk) == [
        (chain.manager, Channel.EMAIL),
        (chain.head_office, Channel.EMAIL),  # has no phone: as they prefer
        (lawyer, Channel.SMS),
    ]


def test_whoever_is_named_and_away_is_stood_in_for(chain: Chain) -> None:
    now = timezone.now()
    Absence.objects.create(
        user=chain.head_office, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1),
        stand_in=chain.area_manager,
    )  # fmt: skip
    usual(Policy(30, (Rung(0, (f"person:{chain.head_office.pk}",), "never"),)))
    open_case(chain, contact=None)
    assert told() == [(chain.area_manager, Channel.EMAIL)]


def test_when_the_named_are_gone_head_office_is_told(chain: Chain) -> None:
    gone = make_user(email="gone@chain.example", role=Role.AREA_MANAGER, node=chain.root)
    usual(Policy(30, (Rung(0, (f"person:{gone.pk}",), "never"),)))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    open_case(chain, contact=None)
    assert told() == [(chain.head_office, Channel.EMAIL)]


def test_a_step_for_the_team_chat_tells_nobody_else(chain: Chain) -> None:
    ChatHook.objects.create(name="Area", url="https://chat.example/1", node=chain.area)
    usual(Policy(30, (AT_ONCE, Rung(10, ("answering",), "acknowledge", channel="chat"))))
    case = open_case(chain, contact=None)
    before = Message.objects.count()
    run_due(case)
    assert Message.objects.count() == before + 1
    assert Message.objects.filter(channel=Channel.CHAT).count() == 2


def test_where_no_chat_listens_its_step_tells_people(chain: Chain) -> None:
    usual(Policy(30, (Rung(0, ("answering",), "never", channel="chat"),)))
    open_case(chain)
    assert [user for user, _channel in told()] == [chain.manager]


def test_nobody_is_told_twice_in_one_moment(chain: Chain) -> None:
    rule = Rule.objects.get(name="Low score")
    rule.also = ["store", "head_office"]
    rule.save()
    case = open_case(chain, contact=None)
    assert [user for user, _channel in told()] == [chain.manager, chain.head_office]
    assert CaseEvent.objects.filter(case=case, kind=EventKind.NOTIFIED).count() == 2


def test_the_first_rule_decides_and_the_later_ones_only_add_people(chain: Chain) -> None:
    own = CasePolicy.objects.create(name="Slow", content=Policy(240, (AT_ONCE,)).as_json())
    Rule.objects.create(
        name="First", trigger="score", order=1, conditions={"unhappy": True}, severity="severe", level=1
    )
    Rule.objects.create(
        name="Later",
        trigger="score",
        order=99,
        conditions={"scores": {"nps": [0, 3]}},
        policy=own,
        also=["head_office"],
    )
    case = open_case(chain, contact=None)
    assert (case.rule_name, case.severity, case.level, case.owner) == ("First", "severe", 1, chain.area_manager)
    assert Policy.of(case.policy).target == 30
    assert {user for user, _channel in told()} == {chain.area_manager, chain.head_office}


def test_a_reminder_is_a_step_that_only_reaching_the_shopper_stops(chain: Chain) -> None:
    usual(Policy(30, (AT_ONCE,), warning=10))
    case = open_case(chain)
    reminder = case.steps.get(ordinal=1)
    assert (reminder.due_at - case.opened_at, reminder.stops_on) == (timedelta(minutes=20), "contact")
    actions.acknowledge(case.pk, actor=chain.manager)
    run_due(case)
    assert case.steps.get(ordinal=1).state == StepState.FIRED


# --- urgency -------------------------------------------------------------------------------------------------------
def urgent(chain: Chain, score: int = 9, again: Verbatim | None = None, **reading: Any) -> Case | None:
    """The case after words were read; `again`: words that were read before."""
    if again is None:
        response = make_response(touchpoint=chain.touchpoint, score=score, words="but the security guard hit my son")
        submit(response)
    else:
        response = again.response
    content = {"urgency": ["safety"], "urgency_certain": True, "confident": True, "proven": True}
    content |= {"sentiment": "negative", "p_negative": 0.9, "analysed_at": timezone.now(), "run_at": None}
    analysis, _made = Analysis.objects.update_or_create(
        verbatim=Verbatim.objects.get(response=response), defaults=content | reading
    )
    with transaction.atomic():
        verbatim_analysed.send(sender=Analysis, analysis=analysis)
    run_evaluations()
    return Case.objects.filter(response=response).first()


def name_for(kind: str, person: User, **more: Any) -> None:
    UrgencyRoute.objects.filter(kind=kind).update(to=[f"person:{person.pk}"], **more)


def test_what_is_urgent_tells_the_named_at_once_with_the_stricter_clock(chain: Chain) -> None:
    name_for("safety", chain.head_office)
    name_for("fraud", chain.area_manager)
    case = urgent(chain)
    assert case and case.urgency == ["safety", "injury"] and case.severity == Severity.SEVERE
    assert {user for user, _channel in told()} == {chain.manager, chain.head_office}
    assert case.due_at - case.opened_at == timedelta(minutes=URGENT_POLICY.target)
    assert case.hours_basis == "wall"
    notice = render_notice(Message.objects.get(user=chain.head_office))
    assert notice and notice.subject.startswith("Urgent: Safety, Injury")


def test_day_and_night(chain: Chain) -> None:
    """The store is closed: the phone rings all the same, and the clock runs."""
    chain.store.closed_from = timezone.now().date() - timedelta(days=2)
    chain.store.save()
    Rule.objects.filter(name__startswith="Urgent").update(severity="normal")
    name_for("safety", chain.head_office)
    case = urgent(chain)
    assert case and case.due_at - case.opened_at == timedelta(minutes=15)
    message = Message.objects.get(user=chain.head_office)
    message.channel = Channel.SMS
    assert message.priority == 0
    assert while_closed(message) is None


def test_a_case_that_turns_out_urgent_gets_the_named_people_and_less_time_once(chain: Chain) -> None:
    name_for("safety", chain.head_office)
    case = urgent(chain, score=2)
    assert case and case.rule_name == "Low score" and case.urgency == ["safety", "injury"]
    assert case.due_at - case.opened_at < timedelta(minutes=16)
    widened = case.events.get(kind=EventKind.WIDENED)
    assert widened.old["due_at"] > widened.new["due_at"]
    assert {user for user, _channel in told(kind="case_update")} == {chain.manager, chain.head_office}
    # The steps that it had are still there, and read again it changes nothing.
    assert Policy.of(case.policy).rungs[: len(DEFAULT_POLICY.rungs)] == DEFAULT_POLICY.rungs
    steps, messages = case.steps.count(), Message.objects.count()
    verbatim_analysed.send(sender=Analysis, analysis=Analysis.objects.get())
    run_evaluations()
    assert (case.steps.count(), Message.objects.count()) == (steps, messages)
    assert case.events.filter(kind=EventKind.WIDENED).count() == 1


def test_another_kind_of_urgency_of_the_same_rule_reaches_its_own_people(chain: Chain) -> None:
    name_for("safety", chain.head_office)
    name_for("legal", chain.area_manager)
    assert urgent(chain, score=2)
    case = urgent(chain, score=2, urgency=["safety", "legal"], again=Verbatim.objects.get())
    assert case and case.urgency == ["safety", "injury", "legal"]
    assert len(told(kind="case_update", user=chain.head_office)) == 1
    assert len(told(kind="case_update", user=chain.area_manager)) == 1
    assert case.events.filter(kind=EventKind.WIDENED).count() == 2


def test_whoever_answers_for_a_kind_of_urgency_hears_of_a_case_that_turns_out_so(chain: Chain) -> None:
    UrgencyRoute.objects.filter(kind="safety").update(to=[], level=2)
    case = urgent(chain, score=2)
    assert case and (case.owner, case.level) == (chain.manager, 0)
    assert {user for user, _channel in told(kind="case_update")} == {chain.manager, chain.head_office}


def test_a_part_of_a_kind_has_people_of_its_own(chain: Chain) -> None:
    name_for("safety", chain.head_office)
    name_for("injury", chain.area_manager)
    case = urgent(chain)
    assert case and case.urgency == ["safety", "injury"]
    assert {user for user, _channel in told()} == {chain.manager, chain.head_office, chain.area_manager}


def test_urgent_words_that_are_read_after_the_case_was_closed_open_it_again(chain: Chain) -> None:
    name_for("safety", chain.head_office)
    case = open_case(chain, contact=None, words="but the security guard hit my son")
    cause = RootCause.objects.order_by("order")[0]
    actions.resolve(
        case.pk, actor=chain.manager, root_cause_id=cause.pk, outcome="explained", text="Said sorry.", form_id=uuid4()
    )
    Message.objects.all().delete()
    found = urgent(chain, again=case.response.verbatims.get())
    assert found and (found.state, found.round, found.outcome, found.severity) == ("open", 1, "", Severity.SEVERE)
    event = found.events.get(kind=EventKind.URGENT_LATER)
    assert event.old["state"] == "resolved" and event.new["urgency"] == ["safety", "injury"]
    assert found.due_at - event.at == timedelta(minutes=URGENT_POLICY.target)
    assert {user for user, _channel in told()} == {chain.manager, chain.head_office}
    assert found.steps.filter(round=1, state=StepState.PENDING).count() == 3
    # Read again, nothing begins anew; and it has to be worked off as any other.
    assert urgent(chain, again=case.response.verbatims.get()) == found
    assert Case.objects.get(pk=case.pk).round == 1
    with pytest.raises(actions.ActionRefused):
        actions.resolve(case.pk, actor=chain.manager, root_cause_id=cause.pk, outcome="explained", form_id=uuid4())


def test_whoever_acts_on_a_severe_case_learns_that_it_is_urgent(chain: Chain) -> None:
    """Nobody is named besides, and the clock stays."""
    UrgencyRoute.objects.update(to=[], policy=None)
    Rule.objects.filter(trigger="score").update(severity=Severity.SEVERE)
    case = urgent(chain, score=2)
    assert case and case.events.filter(kind=EventKind.WIDENED).count() == 1
    assert told(kind="case_update") == [(chain.manager, Channel.EMAIL)]


def test_the_store_can_be_left_out_where_it_may_be_the_trouble(chain: Chain) -> None:
    name_for("safety", chain.head_office, level=1)
    case = urgent(chain)
    assert case and case.owner == chain.area_manager
    assert chain.manager not in {user for user, _channel in told()}


# --- what cases carry ----------------------------------------------------------------------------------------------
OLD = {
    "target": 30,
    "rungs": [
        {"after": 0, "rise": 0, "stops_on": "never", "deputies": False},
        {"after": 15, "rise": 0, "stops_on": "acknowledge", "deputies": True},
        {"after": 30, "rise": 1, "stops_on": "contact", "deputies": False},
    ],
}


def test_the_ladder_of_a_case_from_before_is_the_same_ladder() -> None:
    assert Policy.of(OLD) == DEFAULT_POLICY


def test_a_case_from_before_climbs_as_it_did(chain: Chain) -> None:
    case = open_case(chain)
    Case.objects.filter(pk=case.pk).update(policy=OLD)
    run_due(case)
    escalated = Message.objects.filter(kind="case_escalated")
    assert {message.user for message in escalated} == {chain.manager, chain.deputy, chain.area_manager}


def test_what_was_stored_is_read_back(chain: Chain) -> None:
    for policy in (DEFAULT_POLICY, URGENT_POLICY):
        assert parse_policy(policy.as_json()) == policy
        assert Policy.of(policy.as_json()) == policy


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"target": 30},
        {"target": "30", "rungs": []},
        {"target": 30, "rungs": [{"after": 0, "to": ["nobody"], "stops_on": "never"}]},
        {"target": 30, "rungs": [{"after": 0, "to": [], "stops_on": "never"}]},
        {"target": 0, "rungs": [{"after": 0, "to": ["area"], "stops_on": "never"}]},
        {"target": 30, "rungs": [{"after": 0, "to": ["area"], "stops_on": "never", "every": 10}]},
        {"target": 30, "rungs": [{"after": 0, "to": ["area"], "stops_on": "contact", "every": 1}]},
        {"target": 30, "rungs": [{"after": 0, "to": ["area"], "stops_on": "whenever"}]},
        {"target": 30, "acknowledge": 31, "rungs": [{"after": 0, "to": ["area"], "stops_on": "never"}]},
    ],
)
def test_a_policy_that_cannot_be_is_refused(broken: object) -> None:
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        parse_policy(broken)

"""The way of a case: every state with every verb, what is recorded, and what a second tap does."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from alerts import actions, inbox
from alerts.actions import ActionRefused
from alerts.cards import cards_of
from alerts.choices import CaseState, EntryKind, EventKind, StepState
from alerts.history import history_of
from alerts.inbox import Tab, cases_in, waiting_for, with_everything
from alerts.models import Case, CaseEntry, CaseEvent, CaseStep, RootCause, Verification
from alerts.signals import case_changed
from alerts.work import climb, follow_verifications, is_stopped
from core.leases import ClockNow
from customers.models import Contact, Permission
from messaging.choices import MessageState
from messaging.models import Message
from stores.models import RoleAssignment, User
from surveys.choices import ContactWish
from tests.alerts.conftest import open_case
from tests.factories import Chain

Form = Callable[[], str]


def kinds(case: Case) -> list[str]:
    return [event.kind for event in case.events.all() if event.kind not in (EventKind.OPENED, EventKind.NOTIFIED)]


def resolved(chain: Chain, root_cause: RootCause, **more: Any) -> Case:
    case = open_case(chain, **more)
    reached: dict[str, Any] = (
        {"channel": "call", "reached": True} if not case.fix_only else {"channel": "person", "reached": True}
    )
    actions.record_contact(case.pk, actor=chain.manager, note="", form_id=uuid4(), **reached)
    actions.resolve(
        case.pk,
        actor=chain.manager,
        root_cause_id=root_cause.pk,
        outcome="put_right",
        text="Replaced it.",
        form_id=uuid4(),
    )
    case.refresh_from_db()
    return case


def clocks(user: User) -> list[str]:
    """What the countdowns of the user's inbox say."""
    return [card.countdown.state for card in cards_of(list(with_everything(cases_in(user, Tab.TO_DO))))]


def test_acknowledging_is_not_contacting(chain: Chain) -> None:
    case = open_case(chain)
    Message.objects.update(state=MessageState.SENT)
    actions.acknowledge(case.pk, actor=chain.deputy)
    actions.acknowledge(case.pk, actor=chain.manager)
    case.refresh_from_db()
    assert case.state == CaseState.ACKNOWLEDGED
    assert case.acknowledged_at and not case.contacted_at and not case.attempted_at
    assert kinds(case) == [EventKind.ACKNOWLEDGED]
    event = case.events.get(kind=EventKind.ACKNOWLEDGED)
    assert (event.actor, event.old, event.new) == (chain.deputy, {"state": "open"}, {"state": "acknowledged"})
    assert case.version == 2


def test_a_notice_on_its_way_is_recorded_as_crossed(chain: Chain) -> None:
    case = open_case(chain)
    actions.acknowledge(case.pk, actor=chain.manager)
    assert kinds(case) == [EventKind.ACKNOWLEDGED, EventKind.CROSSED]


def test_a_try_is_not_a_contact(chain: Chain, form_id: Form) -> None:
    case = open_case(chain)
    actions.record_contact(
        case.pk, actor=chain.manager, channel="call", reached=False, note="Engaged.", form_id=form_id()
    )
    case.refresh_from_db()
    assert case.attempted_at and not case.contacted_at
    assert case.state == CaseState.ACKNOWLEDGED
    actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=True, note="", form_id=form_id())
    case.refresh_from_db()
    assert case.contacted_at and case.contacted_at > case.attempted_at
    assert case.state == CaseState.CONTACTED
    assert [e.text for e in case.entries.all()] == ["Engaged."]


def test_a_fix_only_shopper_can_be_met_but_not_called(chain: Chain, form_id: Form) -> None:
    case = open_case(chain, contact=None)
    with pytest.raises(ActionRefused, match="no way to be contacted"):
        actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=True, form_id=form_id())
    actions.record_contact(case.pk, actor=chain.manager, channel="person", reached=True, form_id=form_id())
    case.refresh_from_db()
    assert case.contacted_at


def test_an_answer_goes_to_the_page_and_a_link_to_the_shopper(chain: Chain, form_id: Form) -> None:
    case = open_case(chain)
    actions.answer_shopper(case.pk, actor=chain.manager, text="We are sorry.", form_id=form_id())
    case.refresh_from_db()
    entry = case.entries.get(kind=EntryKind.ANSWER)
    message = Message.objects.get(kind="case_answer")
    assert (message.subject_id, message.contact, message.user) == (str(entry.pk), case.response.contact, None)
    assert case.state == CaseState.CONTACTED
    assert case.contacted_at


def test_a_text_to_somebody_who_asked_for_a_call_is_a_try_until_they_write_back(chain: Chain, form_id: Form) -> None:
    case = open_case(chain, contact="+380671234567")
    actions.answer_shopper(case.pk, actor=chain.manager, text="We are sorry.", form_id=form_id())
    case.refresh_from_db()
    assert (case.state, case.contacted_at) == (CaseState.ACKNOWLEDGED, None)
    assert case.attempted_at and Message.objects.filter(kind="case_answer").exists()
    # The step that only a contact stops goes on.
    assert not is_stopped(case.steps.get(stops_on="contact"), case)
    assert [m.label for m in history_of(case) if m.kind == EventKind.ATTEMPTED] == [
        "Written to, though a call was asked for"
    ]
    actions.shopper_reply(case.response_id, text="Fine, thanks.", form_id=form_id())
    case.refresh_from_db()
    assert case.state == CaseState.CONTACTED and case.contacted_at and case.contacted_at > case.attempted_at
    assert case.contacted_open_secs is not None
    # Once reached, further words are a contact like any other.
    actions.answer_shopper(case.pk, actor=chain.manager, text="Good.", form_id=form_id())
    assert case.events.filter(kind=EventKind.ATTEMPTED).count() == 1


def test_a_reply_to_a_call_in_vain_is_no_contact(chain: Chain, form_id: Form) -> None:
    case = open_case(chain, contact="+380671234567")
    actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=False, form_id=form_id())
    actions.shopper_reply(case.response_id, text="Call me!", form_id=form_id())
    case.refresh_from_db()
    assert case.state == CaseState.ACKNOWLEDGED and not case.contacted_at


def test_an_answer_to_an_anonymous_shopper_waits_on_the_page_and_counts_as_no_contact(
    chain: Chain, form_id: Form
) -> None:
    case = open_case(chain, contact=None)
    actions.answer_shopper(case.pk, actor=chain.manager, text="We are sorry.", form_id=form_id())
    case.refresh_from_db()
    assert case.entries.get().kind == EntryKind.ANSWER
    assert not case.contacted_at
    assert not Message.objects.filter(kind="case_answer").exists()


def test_the_same_form_twice_is_one_entry_one_event_one_message(chain: Chain, root_cause: RootCause) -> None:
    case = open_case(chain)
    forms = {name: uuid4() for name in ("contact", "answer", "action", "note", "reply", "resolve")}
    manager: dict[str, Any] = {"actor": chain.manager}
    for _ in range(2):
        actions.record_contact(
            case.pk, channel="call", reached=True, note="Spoke.", form_id=forms["contact"], **manager
        )
        actions.answer_shopper(case.pk, text="Sorry.", form_id=forms["answer"], **manager)
        actions.record_action(case.pk, text="Fixed.", form_id=forms["action"], **manager)
        actions.add_note(case.pk, text="Regular.", form_id=forms["note"], **manager)
        actions.shopper_reply(case.response_id, text="Thanks.", form_id=forms["reply"])
    for _ in range(2):
        actions.resolve(
            case.pk, root_cause_id=root_cause.pk, outcome="put_right", text="Done.", form_id=forms["resolve"], **manager
        )
    assert case.entries.count() == 6
    assert CaseEvent.objects.filter(kind=EventKind.CONTACTED).count() == 2
    assert CaseEvent.objects.filter(kind=EventKind.RESOLVED).count() == 1
    assert Message.objects.filter(kind="case_answer").count() == 1
    assert Message.objects.filter(kind="case_update").count() == 1
    assert Verification.objects.count() == 1


def test_resolving_needs_a_try(chain: Chain, root_cause: RootCause, form_id: Form) -> None:
    case = open_case(chain)
    with pytest.raises(ActionRefused, match="contact the shopper first"):
        actions.resolve(
            case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", text="x", form_id=form_id()
        )
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert not case.entries.exists()
    actions.record_contact(case.pk, actor=chain.manager, channel="sms", reached=False, form_id=form_id())
    actions.resolve(
        case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", text="x", form_id=form_id()
    )
    case.refresh_from_db()
    assert (case.state, case.root_cause) == (CaseState.RESOLVED, root_cause)


def test_a_fix_only_case_needs_an_action(chain: Chain, root_cause: RootCause, form_id: Form) -> None:
    case = open_case(chain, contact=None)
    resolve: dict[str, Any] = {"actor": chain.manager, "root_cause_id": root_cause.pk, "outcome": "put_right"}
    with pytest.raises(ActionRefused, match="what was done"):
        actions.resolve(case.pk, text=" ", form_id=form_id(), **resolve)
    actions.resolve(case.pk, text="Mended the door.", form_id=form_id(), **resolve)
    case.refresh_from_db()
    assert case.fixed_at
    assert case.state == CaseState.RESOLVED


def test_resolving_needs_a_living_root_cause(chain: Chain, root_cause: RootCause, form_id: Form) -> None:
    case = open_case(chain)
    actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=True, form_id=form_id())
    root_cause.active = False
    root_cause.save()
    with pytest.raises(ActionRefused, match="root cause"):
        actions.resolve(
            case.pk, actor=chain.manager, root_cause_id=root_cause.pk, outcome="put_right", form_id=form_id()
        )


def test_empty_words_are_refused(chain: Chain, form_id: Form) -> None:
    case = open_case(chain)
    for action in (actions.answer_shopper, actions.record_action, actions.add_note):
        with pytest.raises(ActionRefused):
            action(case.pk, actor=chain.manager, text=" \x00 ", form_id=form_id())


@pytest.mark.parametrize("verb", ["acknowledge", "record_contact", "record_action", "resolve"])
def test_a_resolved_case_takes_no_more_work(chain: Chain, root_cause: RootCause, form_id: Form, verb: str) -> None:
    case = resolved(chain, root_cause)
    before = case.events.count()
    more: dict[str, dict[str, Any]] = {
        "acknowledge": {},
        "record_contact": {"channel": "call", "reached": True, "form_id": form_id()},
        "record_action": {"text": "x", "form_id": form_id()},
        "resolve": {"root_cause_id": root_cause.pk, "outcome": "put_right", "form_id": form_id()},
    }
    with pytest.raises(ActionRefused):
        getattr(actions, verb)(case.pk, actor=chain.manager, **more[verb])
    assert case.events.count() == before


def test_yes_confirms(chain: Chain, root_cause: RootCause) -> None:
    case = resolved(chain, root_cause)
    for _ in range(2):
        actions.confirm(case.response_id, contacted=True, solved=True)
    case.refresh_from_db()
    assert case.state == CaseState.CONFIRMED
    assert case.closed_at
    assert kinds(case).count(EventKind.CONFIRMED) == 1
    asked = Verification.objects.get()
    assert (asked.contacted, asked.solved, asked.run_at) == (True, True, None)


def test_no_reopens_one_level_up_with_a_new_clock(chain: Chain, root_cause: RootCause) -> None:
    case = resolved(chain, root_cause)
    first_due = case.due_at
    later = timezone.now() + timedelta(hours=24)
    for _ in range(2):
        actions.confirm(case.response_id, contacted=False, solved=False, at=later)
    case.refresh_from_db()
    assert (case.state, case.round, case.level, case.owner) == (CaseState.OPEN, 1, 1, chain.area_manager)
    assert case.due_at == later + timedelta(minutes=30)
    assert case.first_due_at == first_due
    assert case.contacted_at and case.contacted_at <= case.first_due_at
    assert [(s.round, s.ordinal, s.level) for s in case.steps.order_by("round", "ordinal")][3:] == [
        (1, 0, 1),
        (1, 1, 1),
        (1, 2, 2),
    ]
    told = Message.objects.filter(kind="case_notice", user=chain.area_manager)
    assert told.count() == 1
    event = case.events.get(kind=EventKind.REOPENED)
    assert event.new["contacted"] is False
    assert event.old["state"] == "resolved"


def test_a_reopened_case_needs_a_new_contact_and_is_asked_about_again(
    chain: Chain, root_cause: RootCause, form_id: Form
) -> None:
    case = resolved(chain, root_cause)
    actions.confirm(case.response_id, contacted=True, solved=False)
    boss: dict[str, Any] = {"actor": chain.area_manager}
    with pytest.raises(ActionRefused, match="contact the shopper first"):
        actions.resolve(case.pk, root_cause_id=root_cause.pk, outcome="put_right", form_id=form_id(), **boss)
    actions.record_contact(case.pk, channel="call", reached=True, form_id=form_id(), **boss)
    actions.resolve(case.pk, root_cause_id=root_cause.pk, outcome="put_right", form_id=form_id(), **boss)
    assert list(Verification.objects.order_by("round").values_list("round", "solved")) == [(0, False), (1, None)]
    actions.confirm(case.response_id, contacted=True, solved=False)
    case.refresh_from_db()
    assert (case.round, case.level, case.owner) == (2, 2, chain.head_office)


def test_no_after_yes_still_reopens(chain: Chain, root_cause: RootCause) -> None:
    case = resolved(chain, root_cause)
    actions.confirm(case.response_id, contacted=True, solved=True)
    actions.confirm(case.response_id, contacted=True, solved=False)
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert case.closed_at is None


def test_the_questions_wait_for_the_answer(chain: Chain) -> None:
    case = open_case(chain)
    with pytest.raises(ActionRefused, match="still working"):
        actions.confirm(case.response_id, contacted=True, solved=True)
    with pytest.raises(ActionRefused, match="nothing to answer"):
        actions.confirm(uuid4(), contacted=True, solved=True)


def test_the_shopper_is_asked_later_and_silence_is_unconfirmed(chain: Chain, root_cause: RootCause) -> None:
    case = resolved(chain, root_cause)
    assert follow_verifications() == 0
    Verification.objects.update(run_at=ClockNow())
    assert follow_verifications() == 1
    assert follow_verifications() == 0
    assert Message.objects.get(kind="verification").contact == case.response.contact
    assert case.events.filter(kind=EventKind.ASKED).count() == 1

    Verification.objects.update(run_at=ClockNow())
    assert follow_verifications() == 1
    case.refresh_from_db()
    assert case.state == CaseState.UNCONFIRMED
    assert case.closed_at
    assert follow_verifications() == 0
    # The late answer is still welcome.
    actions.confirm(case.response_id, contacted=True, solved=True)
    case.refresh_from_db()
    assert case.state == CaseState.CONFIRMED


def test_an_anonymous_shopper_is_not_asked_but_waited_for(chain: Chain, root_cause: RootCause) -> None:
    case = resolved(chain, root_cause, contact=None)
    Verification.objects.update(run_at=ClockNow())
    follow_verifications()
    assert not Message.objects.filter(kind="verification").exists()
    actions.confirm(case.response_id, contacted=True, solved=True)
    case.refresh_from_db()
    assert case.state == CaseState.CONFIRMED


def test_withdrawing_permission_stops_what_waits_and_makes_it_fix_only(chain: Chain, form_id: Form) -> None:
    case = open_case(chain)
    contact = case.response.contact
    assert isinstance(contact, Contact)
    Permission.objects.create(contact=contact, wording="…", language="en", given_at=timezone.now())
    actions.answer_shopper(case.pk, actor=chain.manager, text="Sorry.", form_id=form_id())
    Case.objects.update(contacted_at=None)
    for _ in range(2):
        actions.withdraw_permission(case.response_id)
    case.refresh_from_db()
    assert case.fix_only
    assert case.response.contact_wish == ContactWish.NONE
    assert Permission.objects.get().withdrawn_at
    assert Message.objects.get(kind="case_answer").state == MessageState.CANCELLED
    assert kinds(case).count(EventKind.PERMISSION_WITHDRAWN) == 1
    assert Message.objects.filter(user=chain.manager, state=MessageState.PENDING).exists()


@pytest.mark.parametrize("take_back", [actions.withdraw_permission, actions.erase])
def test_no_late_case_leaves_its_share_because_the_shopper_gives_up(
    chain: Chain, take_back: Callable[..., None]
) -> None:
    """Nobody called within thirty minutes, and then the shopper no longer wants it."""
    late, in_time = open_case(chain), open_case(chain, contact="other@example.org")
    take_back(late.response_id, at=late.due_at + timedelta(minutes=1))
    take_back(in_time.response_id, at=in_time.due_at - timedelta(minutes=1))
    assert [Case.objects.get(pk=case.pk).fix_only for case in (late, in_time)] == [False, True]


def test_a_late_case_that_nobody_can_call_any_more_waits_for_an_action(
    chain: Chain, root_cause: RootCause, form_id: Form
) -> None:
    case = open_case(chain)
    actions.withdraw_permission(case.response_id, at=case.due_at + timedelta(minutes=1))
    resolve: dict[str, Any] = {"actor": chain.manager, "root_cause_id": root_cause.pk, "outcome": "put_right"}
    with pytest.raises(ActionRefused, match="no way to be contacted"):
        actions.record_contact(case.pk, actor=chain.manager, channel="call", reached=True, form_id=form_id())
    with pytest.raises(ActionRefused, match="what was done"):
        actions.resolve(case.pk, form_id=form_id(), **resolve)
    actions.resolve(case.pk, text="Replaced it.", form_id=form_id(), **resolve)


def test_reopened_without_an_address_an_action_stops_the_clock(
    chain: Chain, root_cause: RootCause, form_id: Form
) -> None:
    case = resolved(chain, root_cause)
    actions.withdraw_permission(case.response_id)
    actions.confirm(case.response_id, contacted=True, solved=False)
    boss = chain.area_manager
    assert clocks(boss) == ["running"]
    actions.record_action(case.pk, actor=boss, text="Refunded.", form_id=form_id())
    assert clocks(boss) == ["stopped"]
    CaseStep.objects.filter(case=case, round=1, state=StepState.PENDING).update(run_at=ClockNow())
    climb()
    last = CaseStep.objects.filter(case=case, round=1).exclude(ordinal=0)
    assert set(last.values_list("state", flat=True)) == {StepState.STOPPED}
    actions.resolve(case.pk, actor=boss, root_cause_id=root_cause.pk, outcome="put_right", form_id=form_id())
    case.refresh_from_db()
    # It stays in the share of those who could be reached, and were.
    assert case.contacted_at and not case.fix_only


def test_erasing_blanks_words_and_keeps_the_record(chain: Chain, form_id: Form) -> None:
    case = open_case(chain, words="My name is Olena, call 067 123 45 67")
    actions.answer_shopper(case.pk, actor=chain.manager, text="Dear Olena", form_id=form_id())
    actions.shopper_reply(case.response_id, text="It is me, Olena", form_id=form_id())
    for _ in range(2):
        actions.erase(case.response_id)
    case.refresh_from_db()
    assert set(CaseEntry.objects.values_list("text", flat=True)) == {""}
    assert case.response.erased_at
    assert case.response.score == 2
    assert kinds(case).count(EventKind.ERASED) == 1
    assert "Olena" not in str([e.new for e in case.events.all()])
    with pytest.raises(ActionRefused):
        actions.answer_shopper(case.pk, actor=chain.manager, text="Hello again", form_id=form_id())


def test_a_reply_reaches_the_owner_and_is_bounded(chain: Chain, form_id: Form) -> None:
    case = open_case(chain)
    for _ in range(20):
        actions.shopper_reply(case.response_id, text="And another thing", form_id=form_id())
    with pytest.raises(ActionRefused, match="tomorrow"):
        actions.shopper_reply(case.response_id, text="And another thing", form_id=form_id())
    assert Message.objects.filter(kind="case_update", user=chain.manager).count() == 20


@pytest.mark.parametrize("gone", [{"is_active": False}, {}])
def test_a_reply_reaches_somebody_when_the_owner_has_left(chain: Chain, form_id: Form, gone: dict[str, bool]) -> None:
    case = open_case(chain)
    assert case.owner == chain.manager
    if gone:
        User.objects.filter(pk=chain.manager.pk).update(**gone)
    else:
        RoleAssignment.objects.filter(user=chain.manager).delete()
    actions.shopper_reply(case.response_id, text="And another thing", form_id=form_id())
    assert [message.user for message in Message.objects.filter(kind="case_update")] == [chain.deputy]


def test_every_change_is_announced_and_bumps_the_version(chain: Chain, form_id: Form) -> None:
    case = open_case(chain)
    seen: list[int] = []

    def note(sender: object, case: Case, **_: object) -> None:
        seen.append(case.version)

    case_changed.connect(note)
    try:
        actions.acknowledge(case.pk, actor=chain.manager)
        actions.add_note(case.pk, actor=chain.manager, text="x", form_id=form_id())
    finally:
        case_changed.disconnect(note)
    assert seen == [2, 3]


def test_the_inbox_looks_at_actions_only_and_not_at_all_that_ever_happened(chain: Chain) -> None:
    case = open_case(chain)
    happened = [CaseEvent(case=case, kind=EventKind.NOTIFIED, at=case.opened_at) for _ in range(3000)]
    CaseEvent.objects.bulk_create(happened)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE alerts_caseevent, alerts_case")
    assert "case_fixed" in cases_in(chain.manager, Tab.TO_DO).explain()


def test_the_database_refuses_to_rewrite_what_happened(chain: Chain) -> None:
    open_case(chain)
    for change in (lambda: CaseEvent.objects.update(kind="x"), lambda: CaseEvent.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_what_waits_is_counted_while_another_thread_clears_what_is_kept(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cleared(dict[Any, Any]):
        def __setitem__(self, key: object, value: object) -> None:
            """Gone at once."""

    monkeypatch.setattr(inbox, "_written", Cleared())
    open_case(chain)
    assert waiting_for(chain.manager).count == 1

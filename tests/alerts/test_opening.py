"""What a response becomes: a case, part of one, or nothing; and that it is never lost over it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from alerts.actions import add_note, erase, record_contact, withdraw_permission
from alerts.book import current
from alerts.choices import CaseState, EventKind, Severity, StepState, Trigger
from alerts.models import Case, CaseEvent, CaseStep, Evaluation, Rule
from alerts.work import run_evaluations
from core.leases import ClockNow
from messaging.models import Message
from sentiment.models import Analysis
from sentiment.signals import verbatim_analysed
from stores.models import RoleAssignment
from surveys.choices import ContactWish, QuestionKind
from surveys.models import Response, Verbatim
from tests.alerts.conftest import give_contact, open_case, submit
from tests.factories import Chain, make_response


def read(response: Response, **reading: object) -> None:
    """What the analysis lane does with a response's words."""
    verbatim = Verbatim.objects.get(response=response)
    content = {"confident": True, "proven": True, "alarming": False, "sentiment": "positive", "p_negative": 0.1}
    analysis, _ = Analysis.objects.update_or_create(
        verbatim=verbatim, defaults={"analysed_at": timezone.now(), "run_at": None} | content | reading
    )
    with transaction.atomic():
        verbatim_analysed.send(sender=Analysis, analysis=analysis)


@pytest.mark.parametrize(
    ("kind", "score", "opens"),
    [
        (QuestionKind.NPS, 6, True),
        (QuestionKind.NPS, 7, False),
        (QuestionKind.SMILEY5, 2, True),
        (QuestionKind.SMILEY5, 3, False),
    ],
)
def test_an_unhappy_score_opens_a_case(chain: Chain, kind: QuestionKind, score: int, opens: bool) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=score, headline_kind=kind)
    assert (submit(response) is not None) == opens
    evaluation = Evaluation.objects.get(response=response)
    assert evaluation.done_at is not None
    assert evaluation.run_at is None


def test_a_case_comes_with_owner_clock_ladder_and_first_notice(chain: Chain) -> None:
    case = open_case(chain)
    assert case.owner == chain.manager
    assert case.due_at - case.opened_at == timedelta(minutes=30)
    assert not case.fix_only
    assert [(s.ordinal, s.level, s.state) for s in case.steps.order_by("ordinal")] == [
        (0, 0, StepState.FIRED),
        (1, 0, StepState.PENDING),
        (2, 1, StepState.PENDING),
    ]
    assert [e.kind for e in case.events.all()] == [EventKind.OPENED, EventKind.NOTIFIED]
    message = Message.objects.get()
    assert (message.user, message.kind, message.subject_id) == (chain.manager, "case_notice", str(case.pk))


def test_an_anonymous_shopper_makes_a_fix_only_case(chain: Chain) -> None:
    assert open_case(chain, contact=None).fix_only


def test_still_in_the_store_is_severe(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=1)
    response.still_here = True
    case = submit(response)
    assert case and case.severity == Severity.SEVERE
    assert Message.objects.get().priority == 0


def test_a_store_without_a_manager_is_its_deputys_and_without_one_the_area_managers(chain: Chain) -> None:
    RoleAssignment.objects.filter(user=chain.manager).delete()
    assert open_case(chain, contact=None).owner == chain.deputy
    RoleAssignment.objects.filter(user=chain.deputy).delete()
    assert open_case(chain, contact=None).owner == chain.area_manager


def test_rules_run_twice_make_one_case(chain: Chain) -> None:
    case = open_case(chain)
    Evaluation.objects.update(run_at=ClockNow(), done_at=None)
    assert run_evaluations() == 1
    assert Case.objects.get() == case
    assert Message.objects.count() == 1
    assert CaseEvent.objects.count() == 2


def test_a_broken_rule_costs_a_retry_never_the_response(chain: Chain) -> None:
    Rule.objects.filter(trigger=Trigger.SCORE).update(conditions={"nonsense": 1})
    response = make_response(touchpoint=chain.touchpoint, score=1)
    assert submit(response) is None
    evaluation = Evaluation.objects.get(response=response)
    assert evaluation.run_at is not None
    assert evaluation.last_error == "ValidationError"

    run_evaluations()
    evaluation.refresh_from_db()
    assert evaluation.attempts == 1
    assert evaluation.run_at and evaluation.run_at > timezone.now()

    Rule.objects.filter(trigger=Trigger.SCORE).update(conditions={"unhappy": True})
    Evaluation.objects.update(run_at=ClockNow())
    run_evaluations()
    assert Case.objects.get().response == response


def test_a_rule_broken_for_weeks_stops_nothing_else(chain: Chain) -> None:
    """The count of attempts is as wide as its column; one row too wide would fail every claim of the lane."""
    Rule.objects.filter(trigger=Trigger.SCORE).update(conditions={"nonsense": 1})
    submit(make_response(touchpoint=chain.touchpoint, score=1))
    Evaluation.objects.update(attempts=32766)
    for _ in range(3):
        Evaluation.objects.update(run_at=ClockNow())
        assert run_evaluations() == 1


def test_a_broken_rule_does_not_hide_a_good_one(chain: Chain) -> None:
    Rule.objects.filter(name="Unhappy and still in the store").update(conditions={"nonsense": 1})
    assert open_case(chain).rule_name == "Low score"


def test_angry_words_open_a_case_that_the_score_did_not(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=8, words="Nobody helped me, a disgrace.")
    assert submit(response) is None
    read(response, p_negative=0.95, alarming=True)
    assert run_evaluations() == 1
    case = Case.objects.get()
    assert (case.trigger, case.severity) == (Trigger.TEXT, Severity.NORMAL)


@pytest.mark.parametrize("reading", [{"p_negative": 0.5}, {"p_negative": 0.99, "confident": False}])
def test_words_in_doubt_open_nothing(chain: Chain, reading: dict[str, object]) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=8, words="hm hm hm")
    submit(response)
    read(response, **reading)
    run_evaluations()
    assert not Case.objects.exists()


def test_nine_but_the_guard_hit_my_son(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=9, words="but the security guard hit my son")
    assert submit(response) is None
    read(response, urgency=["safety"], urgency_certain=True)
    run_evaluations()
    case = Case.objects.get()
    assert (case.severity, case.rule_name) == (Severity.SEVERE, "Urgent words")


def test_urgent_words_make_a_known_case_severe_and_tell_its_owner(chain: Chain) -> None:
    case = open_case(chain, words="The guard hit my son")
    read(case.response, urgency=["safety"], urgency_certain=True)
    run_evaluations()
    case.refresh_from_db()
    assert case.severity == Severity.SEVERE
    assert case.version == 2
    assert CaseEvent.objects.filter(kind=EventKind.SEVERITY_RAISED).count() == 1
    assert Message.objects.get(kind="case_update").user == chain.manager

    read(case.response, urgency=["safety"], urgency_certain=True)
    run_evaluations()
    assert CaseEvent.objects.filter(kind=EventKind.SEVERITY_RAISED).count() == 1


def test_old_words_read_anew_open_nothing(chain: Chain) -> None:
    response = make_response(
        touchpoint=chain.touchpoint, score=8, words="awful", submitted_at=timezone.now() - timedelta(days=30)
    )
    read(response, p_negative=0.99, alarming=True)
    run_evaluations()
    assert not Case.objects.exists()


def test_the_same_address_joins_the_open_case_of_its_store_only(chain: Chain) -> None:
    case = open_case(chain)
    again = give_contact(make_response(touchpoint=chain.touchpoint, score=0))
    assert submit(again) == case
    elsewhere = give_contact(make_response(touchpoint=chain.foreign_touchpoint, score=0))
    assert submit(elsewhere) != case
    case.refresh_from_db()
    assert case.version == 2
    assert [link.response for link in case.further_responses.all()] == [again]
    assert case.events.filter(kind=EventKind.RESPONSE_ADDED).count() == 1
    assert Message.objects.filter(subject_id=str(case.pk), kind="case_update").count() == 1


def test_deleting_a_response_that_joined_leaves_the_others_conversation(chain: Chain) -> None:
    case = open_case(chain)
    add_note(case.pk, actor=chain.manager, text="Called, will call again", form_id=uuid4())
    again = give_contact(make_response(touchpoint=chain.touchpoint, score=0, words="Somebody else's address"))
    assert submit(again) == case
    erase(again.pk)
    assert again.verbatims.get().text == ""
    assert case.entries.get().text == "Called, will call again"


def test_a_case_resolved_at_that_moment_is_not_joined(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found open, but locked only after somebody else has closed it: nobody would look there again."""
    case = open_case(chain)

    def resolved_meanwhile(*args: object) -> Case:
        Case.objects.update(state=CaseState.RESOLVED)
        return case

    monkeypatch.setattr("alerts.opening.open_case_of_contact", resolved_meanwhile)
    again = submit(give_contact(make_response(touchpoint=chain.touchpoint, score=0)))
    assert again and again != case
    assert again.steps.count() == 3


def test_anonymous_shoppers_never_merge(chain: Chain) -> None:
    assert open_case(chain, contact=None) != open_case(chain, contact=None)


def test_a_correction_withdraws_no_case_and_a_contact_ends_fix_only(chain: Chain) -> None:
    case = open_case(chain, contact=None)
    response = case.response
    response.score, response.revision = 9, 2
    give_contact(response)
    assert submit(response, corrected=True) == case
    case.refresh_from_db()
    assert not case.fix_only
    assert case.events.filter(kind=EventKind.CORRECTED).count() == 1
    assert CaseStep.objects.count() == 3
    # The first notice said that nobody can be called.
    assert Message.objects.get(kind="case_update").user == chain.manager


def test_an_address_left_after_the_first_clock_puts_the_case_in_no_other_share(chain: Chain) -> None:
    case = open_case(chain, contact=None)
    Case.objects.update(opened_at=F("opened_at") - timedelta(hours=1), due_at=F("due_at") - timedelta(hours=1))
    case.response.revision = 2
    submit(give_contact(case.response), corrected=True)
    case.refresh_from_db()
    assert case.fix_only
    record_contact(case.pk, actor=chain.manager, channel="email", reached=True, form_id=uuid4())


def test_a_correction_after_the_close_is_told(chain: Chain) -> None:
    case = open_case(chain)
    Case.objects.update(state=CaseState.RESOLVED)
    case.response.revision = 2
    submit(case.response, corrected=True)
    case.refresh_from_db()
    assert case.state == CaseState.RESOLVED
    assert Message.objects.get(kind="case_update").user == chain.manager


def test_a_correction_that_takes_the_address_back_makes_it_fix_only(chain: Chain) -> None:
    case = open_case(chain)
    response = Response.objects.get(pk=case.response_id)
    response.contact, response.contact_wish, response.revision = None, ContactWish.NONE, 2
    response.save()
    assert submit(response, corrected=True) == case
    case.refresh_from_db()
    assert case.fix_only


def test_an_address_that_was_taken_back_is_not_joined(chain: Chain) -> None:
    case = open_case(chain)
    withdraw_permission(case.response_id)
    again = submit(give_contact(make_response(touchpoint=chain.touchpoint, score=0)))
    assert again and again != case
    assert not again.fix_only


def test_a_correction_downwards_opens_a_case(chain: Chain) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=9)
    assert submit(response) is None
    response.score, response.revision = 1, 2
    response.save()
    assert submit(response, corrected=True) is not None


def test_opening_a_case_takes_few_statements(chain: Chain, django_assert_max_num_queries: object) -> None:
    response = make_response(touchpoint=chain.touchpoint, score=1)
    response.store.node  # noqa: B018  (a page has it already)
    from alerts.receivers import judge_score

    current()  # each process reads the rule book once
    with transaction.atomic(), django_assert_max_num_queries(13):  # type: ignore[operator]
        judge_score(sender=None, response=response)

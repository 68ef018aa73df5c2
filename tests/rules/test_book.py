"""What each process keeps of the rules is what is committed, whoever changed it; and what was stored before holds."""

import importlib
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from alerts.book import current
from alerts.choices import EventKind, StepState
from alerts.ladder import Policy, Rung
from alerts.models import AlertGroup, CaseEvent, CasePolicy, CaseStep, Rule, RuleBook, UrgencyRoute
from alerts.policy import ensure_defaults
from alerts.rules import Facts, parse
from alerts.work import climb
from core.leases import ClockNow
from messaging.models import Message
from surveys.choices import QuestionKind
from tests.alerts.conftest import open_case
from tests.alerts.test_races import at_once
from tests.factories import Chain

_before = importlib.import_module("alerts.migrations.0012_conditions_by_range")


def test_one_small_query_when_nothing_has_changed(django_assert_num_queries: Any) -> None:
    kept = current()
    with django_assert_num_queries(1):
        assert current() is kept


@pytest.mark.parametrize(
    "change",
    [
        lambda chain: Rule.objects.update(active=False),
        lambda chain: Rule.objects.all().delete(),
        lambda chain: CasePolicy.objects.update(content=Policy(9, (Rung(0, ("area",), "never"),)).as_json()),
        lambda chain: UrgencyRoute.objects.update(level=2),
        lambda chain: AlertGroup.objects.create(name="New").members.add(chain.manager),
    ],
)
def test_every_way_of_changing_is_seen(chain: Chain, change: Any) -> None:
    AlertGroup.objects.create(name="Old")
    before = current()
    change(chain)
    assert current() != before


def test_what_was_rolled_back_is_forgotten() -> None:
    before = current()
    try:
        with transaction.atomic():
            Rule.objects.update(active=False)
            assert not current().rules
            raise RuntimeError
    except RuntimeError:
        pass
    assert current().rules.keys() == before.rules.keys()


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_the_change_once_it_is_committed() -> None:
    ensure_defaults()
    assert current().rules
    changed, look = threading.Event(), threading.Event()

    def elsewhere() -> None:
        with transaction.atomic():
            Rule.objects.update(active=False)
            changed.set()
            look.wait(60)
        connection.close()

    other = threading.Thread(target=elsewhere)
    other.start()
    changed.wait(60)
    assert current().rules
    look.set()
    other.join(60)
    assert not current().rules
    assert RuleBook.objects.count() == 1


def test_a_clock_that_cannot_be_read_leaves_the_usual_one(chain: Chain) -> None:
    CasePolicy.objects.update(content={"target": "x"})
    case = open_case(chain, contact=None)
    assert Policy.of(case.policy).target == 30


@pytest.mark.django_db(transaction=True)
def test_two_loops_tell_again_once_each_time() -> None:
    ensure_defaults()
    chain = Chain()
    again = Policy(30, (Rung(0, ("answering",), "never"), Rung(5, ("area",), "acknowledge", every=5)))
    CasePolicy.objects.filter(usual=True).update(content=again.as_json())
    for _case in range(6):
        open_case(chain, contact=None)
    for _time in range(3):
        CaseStep.objects.filter(state=StepState.PENDING).update(run_at=ClockNow())
        assert at_once(*[climb] * 4) == []
    steps = CaseStep.objects.filter(ordinal=1)
    assert steps.filter(state=StepState.FIRED).count() == 18
    assert steps.filter(state=StepState.PENDING).count() == 6
    assert CaseEvent.objects.filter(kind=EventKind.NOTIFIED, step__in=steps).count() == 18
    assert Message.objects.filter(kind="case_escalated").count() == 18


def test_words_of_a_rule_are_found_in_whatever_letters_they_were_typed() -> None:
    said = Facts("nps", 8, "qr", False, words="Duzhe dyakuju, divchata pryvitni, ale cherha", language="uk")
    for entry, held in (("черга", True), ("cherha", True), ("каса", False)):
        assert parse({"words": [entry]}).hold(said) == held


# --- what was stored before ----------------------------------------------------------------------------------------
# The conditions that chains had until then, and what each was asked.
OLD: list[dict[str, Any]] = [
    {"unhappy": True, "still_here": True},
    {"unhappy": True},
    {"urgency": [], "urgency_certain": True},
    {"urgency": [], "negative_at_least": 0.5},
    {"alarming": True},
    {"score_at_most": {"nps": 3, "smiley5": 2}},
    {"negative_at_least": 0.8, "channels": ["qr"]},
]


def _held_before(stored: dict[str, Any], facts: Facts) -> bool:
    """As `alerts.rules` judged before ranges, for the two conditions that are written anew."""
    marks = stored.get("score_at_most")
    low = marks is None or (facts.score is not None and facts.kind in marks and facts.score <= marks[facts.kind])
    least = stored.get("negative_at_least")
    sure = facts.confident and facts.proven and facts.p_negative is not None
    negative = least is None or (sure and (facts.p_negative or 0) >= least)
    rest = {name: value for name, value in stored.items() if name not in {"score_at_most", "negative_at_least"}}
    return low and negative and (not rest or parse(rest).hold(facts))


@pytest.mark.parametrize("stored", OLD)
def test_rules_from_before_hold_for_the_same_answers(stored: dict[str, Any]) -> None:
    conditions = parse(_before.rewritten(stored))
    held = 0
    for kind in (QuestionKind.NPS, QuestionKind.SMILEY5):
        for score in (None, *range(1, 6)):
            for number in range(32):
                facts = Facts(
                    kind=kind,
                    score=score,
                    channel="qr" if number & 1 else "call",
                    still_here=bool(number & 2),
                    p_negative=(None, 0.5, 0.79, 0.8)[number % 4],
                    confident=bool(number & 4),
                    proven=bool(number & 8),
                    alarming=bool(number & 1),
                    urgency=("fraud",) if number & 16 else (),
                    urgency_certain=bool(number & 8),
                )
                assert conditions.hold(facts) == _held_before(stored, facts), facts
                held += conditions.hold(facts)
    assert held


def test_what_cannot_be_read_stays_as_it_is() -> None:
    assert _before.rewritten({"nonsense": 1}) == {"nonsense": 1}
    assert _before.rewritten({"score_at_most": {"other": 1}}) == {"score_at_most": {"other": 1}}

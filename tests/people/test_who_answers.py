"""Who answers for a store now: never somebody away, gone or from elsewhere; somebody as long as anybody is there."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.choices import EventKind
from alerts.models import CaseEvent, CaseStep
from alerts.policy import ensure_defaults
from alerts.work import climb
from core.leases import ClockNow
from stores.choices import CASE_ROLES, Role
from stores.models import Absence, RoleAssignment, User
from stores.queries import stores_visible_to, who_answers
from tests.alerts.conftest import open_case
from tests.factories import Chain, make_user

NOW = timezone.now()


def away(user: User, *, stand_in: User | None = None, since_hours: float = 1, hours: float = 24) -> Absence:
    starts = NOW - timedelta(hours=since_hours)
    return Absence.objects.create(
        user=user, starts_at=starts, ends_at=starts + timedelta(hours=hours), stand_in=stand_in
    )


def test_the_absent_are_stood_in_for_then_their_deputy_answers_then_the_next_level(chain: Chain) -> None:
    assert who_answers(chain.store) == [chain.manager]
    absence = away(chain.manager, stand_in=chain.area_manager)
    assert who_answers(chain.store) == [chain.area_manager]
    Absence.objects.filter(pk=absence.pk).update(stand_in=None)
    assert who_answers(chain.store) == [chain.deputy]
    away(chain.deputy)
    assert who_answers(chain.store) == [chain.area_manager]
    away(chain.area_manager)
    assert who_answers(chain.store) == [chain.head_office]


def test_only_while_it_lasts_and_not_once_it_is_taken_back(chain: Chain) -> None:
    absence = away(chain.manager)
    assert who_answers(chain.store, at=absence.starts_at - timedelta(seconds=1)) == [chain.manager]
    assert who_answers(chain.store, at=absence.starts_at) == [chain.deputy]
    assert who_answers(chain.store, at=absence.ends_at) == [chain.manager]
    Absence.objects.update(cancelled_at=NOW)
    assert who_answers(chain.store) == [chain.manager]


def test_a_stand_in_from_elsewhere_or_without_cases_does_not_answer(chain: Chain) -> None:
    absence = away(chain.manager)
    for stranger in (chain.foreign_manager, chain.operator, chain.nobody):
        Absence.objects.filter(pk=absence.pk).update(stand_in=stranger)
        assert who_answers(chain.store) == [chain.deputy]


def test_stand_ins_who_are_away_pass_it_on_and_never_in_a_circle(chain: Chain) -> None:
    away(chain.manager, stand_in=chain.deputy)
    away(chain.deputy, stand_in=chain.area_manager)
    assert who_answers(chain.store) == [chain.area_manager]
    away(chain.area_manager, stand_in=chain.manager)
    assert who_answers(chain.store) == [chain.head_office]


def test_when_nobody_is_left_above_those_below_answer(chain: Chain) -> None:
    away(chain.head_office)
    assert who_answers(chain.store, 2) == [chain.area_manager]
    away(chain.area_manager)
    assert who_answers(chain.store, 2) == [chain.manager]


def test_it_takes_one_query(chain: Chain, django_assert_num_queries: object) -> None:
    away(chain.manager, stand_in=chain.deputy)
    with django_assert_num_queries(1):  # type: ignore[operator]
        who_answers(chain.store)


def test_each_step_tells_who_answers_then(chain: Chain) -> None:
    """The manager goes away after the first notice; the area manager is back before the last."""
    ensure_defaults()
    holiday = away(chain.area_manager)
    case = open_case(chain)
    away(chain.manager)
    for ordinal in (1, 2):
        if ordinal == 2:
            Absence.objects.filter(pk=holiday.pk).update(cancelled_at=NOW)
        CaseStep.objects.filter(case=case, ordinal=ordinal).update(run_at=ClockNow())
        climb()
    told = CaseEvent.objects.filter(case=case, kind=EventKind.NOTIFIED).order_by("pk")
    assert [(event.step and event.step.ordinal, event.recipient) for event in told] == [
        (0, chain.manager),
        (1, chain.deputy),
        (2, chain.area_manager),
    ]


def test_when_everybody_is_away_everybody_is_told(chain: Chain) -> None:
    ensure_defaults()
    reaching = [chain.manager, chain.deputy, chain.area_manager, chain.head_office]
    for person in reaching:
        away(person)
    assert who_answers(chain.store) == []
    case = open_case(chain)
    told = CaseEvent.objects.filter(case=case, kind=EventKind.NOTIFIED)
    assert {event.recipient for event in told} == set(reaching)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_somebody_answers_as_long_as_anybody_is_there(chain: Chain, level: int) -> None:
    """Any staff, any absences, any stand-ins."""
    people = [make_user(email=f"p{number}@chain.example") for number in range(4)]
    places: list[dict[str, Any]] = [
        {"store": chain.store},
        {"store": chain.neighbour},
        {"node": chain.area},
        {"node": chain.other_area},
        {"node": chain.root},
    ]
    held = st.tuples(st.sampled_from(sorted(Role.values)), st.integers(0, 4))
    person = st.tuples(st.booleans(), st.lists(held, max_size=2, unique=True), st.sampled_from([None, -1, 0, 1, 2, 3]))

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(person, min_size=4, max_size=4))
    def holds(drawn: list[tuple[bool, list[tuple[str, int]], int | None]]) -> None:
        RoleAssignment.objects.all().delete()
        Absence.objects.all().delete()
        gone = set()
        for user, (active, roles, stand_in) in zip(people, drawn, strict=True):
            User.objects.filter(pk=user.pk).update(is_active=active)
            for role, place in roles:
                RoleAssignment.objects.create(user=user, role=role, **places[place])
            if stand_in is not None:
                other = people[stand_in] if stand_in >= 0 and people[stand_in] != user else None
                away(user, stand_in=other)
                gone.add(user)
        fit = {
            user
            for user, (active, _roles, _stand_in) in zip(people, drawn, strict=True)
            if active and user not in gone and stores_visible_to(user, roles=CASE_ROLES).contains(chain.store)
        }
        found = who_answers(chain.store, level)
        assert set(found) <= fit, "away, gone, or from elsewhere"
        assert bool(found) == bool(fit), "somebody is there and nobody answers"

    holds()

"""A move tells beforehand whom it concerns, and then does just that."""

from collections.abc import Sequence

import pytest
from django.test import Client

from alerts.policy import ensure_defaults
from stores.choices import NodeKind, Role
from stores.models import ConfigChange, Node, RoleAssignment, Store
from stores.moving import MovePlan, plan_node, plan_stores
from stores.queries import stores_visible_to, who_answers
from surveys.models import Response
from surveys.signals import response_saved
from tests.factories import Chain, make_node, make_response, make_store, make_user


def people(sights: Sequence[object]) -> list[tuple[str, str]]:
    return [(one.assignment.user.email, one.assignment.role) for one in sights]  # type: ignore[attr-defined]


def answers(plan: MovePlan) -> list[tuple[int, list[str], list[str]]]:
    return [(line.level, [p.email for p in line.before], [p.email for p in line.after]) for line in plan.answering]


def open_case(chain: Chain) -> None:
    ensure_defaults()
    response = make_response(touchpoint=chain.touchpoint, score=0, words="Terrible")
    response_saved.send(sender=Response, response=response, corrected=False)


def test_one_store_to_another_area(chain: Chain) -> None:
    open_case(chain)
    plan = plan_stores(Store.objects.filter(code="KY1"), chain.other_area)
    assert (plan.stores, plan.open_cases) == (1, 1)
    assert people(plan.gain) == [("foreign-area@chain.example", Role.AREA_MANAGER)]
    assert people(plan.lose) == [("area@chain.example", Role.AREA_MANAGER)]
    # The store's own people answer first as before.
    assert answers(plan) == [(1, ["area@chain.example"], ["foreign-area@chain.example"])]
    assert (plan.rows_left, plan.rows_joined) == ([chain.area], [chain.other_area])


def test_a_store_without_a_manager_is_answered_for_by_others(chain: Chain) -> None:
    plan = plan_stores(Store.objects.filter(code__in=["KY1", "KY2"]), chain.other_area)
    assert [line for line in answers(plan) if line[0] == 0] == [
        (0, ["area@chain.example"], ["foreign-area@chain.example"])
    ]
    assert [line.stores for line in plan.answering] == [1, 2]


def test_who_sees_it_by_another_role_loses_nothing(chain: Chain) -> None:
    RoleAssignment.objects.create(user=chain.area_manager, role=Role.AREA_MANAGER, node=chain.other_area)
    plan = plan_stores(Store.objects.filter(code="KY1"), chain.other_area)
    assert people(plan.lose) == [] and people(plan.gain) == [("foreign-area@chain.example", Role.AREA_MANAGER)]


def test_a_place_with_everything_below_it(chain: Chain) -> None:
    country = make_node(kind=NodeKind.COUNTRY, name="Poland", parent=chain.root)
    head = make_user(email="pl@chain.example", role=Role.HEAD_OFFICE, node=country)
    make_user(email="ua@chain.example", role=Role.HEAD_OFFICE, node=chain.area.parent)
    plan = plan_node(chain.area, country)
    assert plan.stores == 2
    assert people(plan.gain) == [("pl@chain.example", Role.HEAD_OFFICE)]
    assert people(plan.lose) == [("ua@chain.example", Role.HEAD_OFFICE)]
    assert [node.name for node in plan.rows_left] == ["Ukraine"]
    assert [node.name for node in plan.rows_joined] == ["Poland"]
    before, after = answers(plan)[-1][1:]
    assert "ua@chain.example" in before and "pl@chain.example" in after
    assert not stores_visible_to(head).exists()


@pytest.mark.parametrize("what", ["store", "node"])
def test_what_was_foretold_comes_true(client: Client, chain: Chain, what: str) -> None:
    """Of everybody, before and after the real move, for stores with and without people of their own."""
    country = make_node(kind=NodeKind.COUNTRY, name="Poland", parent=chain.root)
    target = make_node(kind=NodeKind.AREA, name="Kraków", parent=country)
    for node in (country, target):
        make_user(email=f"{node.code.lower()}@chain.example", role=Role.AREA_MANAGER, node=node)
    stores = Store.objects.filter(code__in=["KY1", "KY2"])
    staff = [chain.area_manager, chain.foreign_area_manager, chain.head_office, chain.manager, chain.operator]
    staff += [assignment.user for assignment in RoleAssignment.objects.filter(node__in=[country, target])]

    def sight() -> dict[str, set[str]]:
        roles = list(Role)
        return {
            u.email: set(stores_visible_to(u, roles=roles).filter(pk__in=stores).values_list("code", flat=True))
            for u in staff
        }

    def answering() -> dict[tuple[str, int], list[str]]:
        return {
            (store.code, level): [person.email for person in who_answers(store, level)]
            for store in stores.select_related("node")
            for level in range(3)
        }

    seen, answered = sight(), answering()
    client.force_login(chain.head_office)
    if what == "store":
        plan = plan_stores(stores, target)
        client.post(
            "/setup/stores/bulk/", {"action": "move", "store": ["KY1", "KY2"], "to": target.code, "confirmed": 1}
        )
    else:
        plan = plan_node(chain.area, target)
        client.post("/tree/nodes/KYIV/move/", {"to": target.code})
    gained = {email for email, codes in sight().items() if codes - seen[email]}
    lost = {email for email, codes in seen.items() if codes - sight()[email]}
    assert gained == {email for email, _role in people(plan.gain)}
    assert lost == {email for email, _role in people(plan.lose)}
    after = answering()
    changed = {(level, tuple(answered[code, level]), tuple(after[code, level])) for code, level in after}
    changed = {line for line in changed if line[1] != line[2]}
    assert changed == {(level, tuple(before), tuple(then)) for level, before, then in answers(plan)}
    assert ConfigChange.objects.filter(kind="moved").count() == (2 if what == "store" else 1)


def test_the_page_shows_it_first(client: Client, chain: Chain) -> None:
    open_case(chain)
    client.force_login(chain.head_office)
    page = client.get("/stores/KY1/move/?to=LVIV").content.decode()
    for part in (
        "What changes if 1 store moves to Lviv",
        "Foreign Area",
        "1 case is open",
        "These no longer count them",
    ):
        assert part in page, part
    assert Store.objects.get(code="KY1").node == chain.area and not ConfigChange.objects.exists()
    client.post("/stores/KY1/move/", {"to": "LVIV"})
    assert Store.objects.get(code="KY1").node == chain.other_area
    change = ConfigChange.objects.get()
    assert (change.kind, change.actor, change.old, change.new) == (
        "moved",
        chain.head_office,
        {"node": "KYIV"},
        {"node": "LVIV"},
    )


def test_reports_follow_the_tree_of_today(client: Client, chain: Chain) -> None:
    """The cells are the stores' own: nothing needs to be counted again after a move."""
    from reports.facts import count_store
    from reports.models import StoreDay

    make_response(touchpoint=chain.touchpoint, score=9)
    count_store(chain.store.pk)
    below = StoreDay.objects.filter(store__node__path__startswith=chain.other_area.path)
    assert not below.exists()
    client.force_login(chain.head_office)
    client.post("/stores/KY1/move/", {"to": "LVIV"})
    assert sum(day.responses for day in below.all()) == 1


def test_many_places_are_summed_up(chain: Chain) -> None:
    target = make_node(kind=NodeKind.AREA, name="Target", parent=chain.root)
    for number in range(15):
        place = make_node(kind=NodeKind.AREA, name=f"Place {number}", parent=chain.root)
        make_store(node=place, code=f"P{number}")
    plan = plan_stores(Store.objects.filter(code__startswith="P"), target)
    assert plan.stores == 15 and plan.more_places == 3 and len(plan.rows_left) == 15
    assert Node.objects.filter(stores__code__startswith="P").distinct().count() == 15

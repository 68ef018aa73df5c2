"""Changing the tree: recorded, refused where it makes no sense, and right when two do it at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread

import pytest
from django.db import connection, connections, transaction
from django.test import Client

from stores import actions
from stores.choices import ChangeKind, HolidayRule, NodeKind
from stores.models import ConfigChange, Node, Store, TreeError, lock_tree
from stores.signals import stores_moved
from tests.factories import Chain, make_node, make_store, make_touchpoint
from tests.threads import PATIENCE_SECS, waiting_for_advice


def changes(what: str) -> list[tuple[str, dict[str, object], dict[str, object]]]:
    return [(c.kind, c.old, c.new) for c in ConfigChange.objects.filter(what=what).order_by("pk")]


def test_a_node_from_its_making_to_its_retirement(chain: Chain) -> None:
    node = actions.create_node(parent=chain.root, kind=NodeKind.COUNTRY, name="Česko", actor=chain.head_office)
    assert node.code == "CESKO" and node.path == f"{chain.root.path}{node.pk}/"
    actions.change_node(node, actor=chain.head_office, name="Czechia", code="CZ")
    actions.retire_node(node, actor=chain.head_office)
    with pytest.raises(actions.PlaceInUse):
        actions.create_node(parent=node, kind=NodeKind.AREA, name="Brno", actor=None)
    with pytest.raises(actions.PlaceInUse):
        actions.move_stores(Store.objects.all(), to=node, actor=None)
    actions.restore_node(node, actor=chain.operator)
    assert changes("node") == [
        ("created", {}, {"code": "CESKO", "kind": "country", "name": "Česko", "parent": "CHAIN"}),
        ("changed", {"code": "CESKO", "name": "Česko"}, {"code": "CZ", "name": "Czechia"}),
        ("retired", {}, {}),
        ("restored", {}, {}),
    ]
    assert ConfigChange.objects.filter(what="node").last().actor == chain.head_office  # type: ignore[union-attr]


def test_codes_that_names_give(chain: Chain) -> None:
    def code(name: str) -> str:
        return actions.create_node(parent=chain.root, kind=NodeKind.AREA, name=name, actor=None).code

    assert [code("Graz"), code("Gräz"), code("Київ"), code("Одеса")] == ["GRAZ", "GRAZ-2", "AREA", "AREA-2"]


def test_a_place_in_use_is_not_retired(chain: Chain) -> None:
    with pytest.raises(actions.PlaceInUse):
        actions.retire_node(chain.area, actor=None)
    assert not changes("node")


def test_a_place_is_not_put_below_itself(chain: Chain) -> None:
    country = chain.area.parent
    assert country is not None
    for node in (country, chain.area):
        with pytest.raises(TreeError):
            actions.move_node(country, to=node, actor=None)
    country.refresh_from_db()
    assert country.parent == chain.root and not changes("node")


def test_moving_tells_who_must_know(chain: Chain) -> None:
    told: list[list[int]] = []

    def listen(sender: object, store_ids: list[int], **_: object) -> None:
        told.append(sorted(store_ids))

    stores_moved.connect(listen)
    try:
        actions.move_node(chain.area, to=chain.root, actor=chain.head_office)
        assert actions.move_stores(Store.objects.filter(code="KY2"), to=chain.other_area, actor=None) == 1
        assert actions.move_stores(Store.objects.filter(code="KY2"), to=chain.other_area, actor=None) == 0
    finally:
        stores_moved.disconnect(listen)
    assert told == [sorted([chain.store.pk, chain.neighbour.pk]), [chain.neighbour.pk]]
    assert changes("node") == [("moved", {"parent": "UKRAINE"}, {"parent": "CHAIN"})]
    assert changes("store") == [("moved", {"node": "KYIV"}, {"node": "LVIV"})]


def test_many_at_once_are_recorded_one_by_one(chain: Chain) -> None:
    two = Store.objects.filter(code__in=["KY1", "KY2"])
    assert actions.set_holiday_rule(two, HolidayRule.CLOSED, actor=chain.operator) == 2
    assert actions.set_holiday_rule(Store.objects.all(), HolidayRule.CLOSED, actor=chain.operator) == 2
    assert actions.retire_stores(two, actor=chain.operator) == 2
    assert actions.retire_stores(two, actor=chain.operator) == 0
    actions.retire_node(chain.area, actor=None)
    with pytest.raises(actions.PlaceInUse):
        actions.restore_stores(two, actor=None)
    actions.restore_node(chain.area, actor=None)
    assert actions.restore_stores(two, actor=chain.operator) == 2
    kinds = [kind for kind, _old, _new in changes("store")]
    assert kinds == [ChangeKind.CHANGED] * 4 + [ChangeKind.RETIRED] * 2 + [ChangeKind.RESTORED] * 2


# --- two at once ------------------------------------------------------------------------------------------------
def at_once(*works: Callable[[], object]) -> list[BaseException | None]:
    """Run each in a thread and connection of its own, from the same moment on; what each of them raised."""
    start = Barrier(len(works))
    raised: list[BaseException | None] = [None] * len(works)

    def run(number: int) -> None:
        try:
            start.wait()
            works[number]()
        except Exception as error:
            raised[number] = error
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def is_sound(node: Node) -> bool:
    """Whether its path is what its parents say, in a walk that a circle would not end."""
    ids: list[int] = []
    at: Node | None = node
    while at is not None and at.pk not in ids:
        ids.append(at.pk)
        at = Node.objects.select_related("parent").get(pk=at.pk).parent
    return at is None and Node.objects.get(pk=node.pk).path == "/" + "".join(f"{pk}/" for pk in reversed(ids))


def cross(rounds: int) -> tuple[bool, int]:
    """Two subtrees are moved below each other at once; whether all stayed sound, and how many moves were refused."""
    root = make_node(kind=NodeKind.CHAIN, name="Chain")
    refused, sound = 0, True
    for number in range(rounds):
        one, two = (make_node(kind=NodeKind.REGION, name=f"{name} {number}", parent=root) for name in ("One", "Two"))
        below = [make_node(kind=NodeKind.AREA, name=f"Area {number}", parent=above) for above in (one, two)]
        make_store(node=below[0], code=f"R{number}")
        errors = at_once(
            lambda one=one, to=below[1]: actions.move_node(one, to=to, actor=None),  # type: ignore[misc]
            lambda two=two, to=below[0]: actions.move_node(two, to=to, actor=None),  # type: ignore[misc]
        )
        refused += sum(isinstance(error, TreeError) for error in errors)
        assert all(error is None or isinstance(error, TreeError) for error in errors)
        sound = sound and all(is_sound(node) for node in (one, two, *below))
    return sound, refused


@pytest.mark.django_db(transaction=True)
def test_two_moves_at_once_make_no_circle() -> None:
    assert cross(4) == (True, 4)


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_would(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("stores.actions", "stores.models.tree"):
        monkeypatch.setattr(f"{module}.lock_tree", lambda: None)
    assert any(not cross(5)[0] for _try in range(4))


@pytest.mark.django_db(transaction=True)
def test_a_node_made_while_its_parent_moves_lies_where_the_parent_lies() -> None:
    root = make_node(kind=NodeKind.CHAIN, name="Chain")
    target = make_node(kind=NodeKind.COUNTRY, name="Target", parent=root)
    for number in range(4):
        parent = make_node(kind=NodeKind.REGION, name=f"Parent {number}", parent=root)
        at_once(
            lambda parent=parent: actions.move_node(parent, to=target, actor=None),  # type: ignore[misc]
            lambda parent=parent, n=number: actions.create_node(  # type: ignore[misc]
                parent=parent, kind=NodeKind.AREA, name=f"Child {n}", actor=None
            ),
        )
    assert all(is_sound(node) for node in Node.objects.all())


@pytest.mark.django_db(transaction=True)
def test_a_shopper_does_not_wait_for_a_change_of_their_store(chain: Chain) -> None:
    def answer() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '10s'")
        make_touchpoint(store=chain.store)

    with transaction.atomic():
        actions.close_for_a_time(chain.store, None, actor=None)
        assert at_once(answer) == [None]


def post_while_both_wait(chain: Chain, address: str, *forms: dict[str, str]) -> list[int]:
    """What is answered to forms that were all checked before the first of them was carried out."""
    clients = [Client() for _form in forms]
    for client in clients:
        client.force_login(chain.head_office)
    answers: list[int] = []
    with ThreadPoolExecutor() as pool:
        with transaction.atomic():
            lock_tree()
            sent = [pool.submit(client.post, address, form) for client, form in zip(clients, forms, strict=True)]
            until = time.monotonic() + PATIENCE_SECS
            while waiting_for_advice() < len(forms) and time.monotonic() < until:
                time.sleep(0.02)
        answers = sorted(one.result().status_code for one in sent)
        for _client in clients:
            pool.submit(connections.close_all).result()
    return answers


@pytest.mark.django_db(transaction=True)
def test_of_two_who_enter_one_code_at_once_one_is_told(chain: Chain) -> None:
    node = {"parent": chain.area.code, "name": "Twice", "kind": "area"}
    assert post_while_both_wait(chain, "/tree/new/", node | {"code": "TWICE"}, node | {"code": "twice"}) == [302, 422]
    assert Node.objects.filter(name="Twice").count() == 1
    store = {"node": chain.area.code, "name": "Twice", "kind": "shop", "country": "UA", "languages": "uk"}
    store |= {"time_zone": "Europe/Kyiv", "holiday_rule": "open"}
    both = post_while_both_wait(chain, "/setup/stores/new/", store | {"code": "TW1"}, store | {"code": "tw1"})
    assert both == [302, 422] and Store.objects.filter(name="Twice").count() == 1

"""Who may change what of a store: the one rule, and the pages that ask it."""

import pytest
from django.test import Client

from stores.access import Part, editable_parts, may_edit, nodes_editable_by, stores_editable_by
from stores.choices import Role
from stores.models import ConfigChange, Store
from tests.factories import Chain, make_user

EVERYTHING = frozenset(Part)
AREA = {Part.HOURS, Part.EXCEPTIONS, Part.CLOSURE, Part.TOUCHPOINTS}
RULE = {
    "head_office": EVERYTHING,
    "operator": EVERYTHING,
    "area_manager": AREA,
    "manager": {Part.EXCEPTIONS, Part.CLOSURE},
    "deputy": set(),
    "call_centre_lead": set(),
    "foreign_manager": set(),
    "foreign_area_manager": set(),
    "nobody": set(),
}


@pytest.mark.parametrize("who", RULE)
def test_the_rule(chain: Chain, who: str) -> None:
    user = getattr(chain, who)
    assert editable_parts(user, chain.store) == RULE[who]
    for part in Part:
        assert may_edit(user, chain.store, part) == (part in RULE[who])
        assert stores_editable_by(user, part).contains(chain.store) == (part in RULE[who])


def test_two_roles_add_up(chain: Chain) -> None:
    both = make_user(email="both@chain.example", role=Role.STORE_MANAGER, store=chain.foreign)
    both.roles.create(role=Role.AREA_MANAGER, node=chain.area)
    assert editable_parts(both, chain.store) == AREA
    assert editable_parts(both, chain.foreign) == {Part.EXCEPTIONS, Part.CLOSURE}


def test_head_office_of_a_country_edits_below_it_only(chain: Chain) -> None:
    country = chain.area.parent
    head = make_user(email="ua@chain.example", role=Role.HEAD_OFFICE, node=chain.area)
    assert set(nodes_editable_by(head)) == {chain.area}
    assert not nodes_editable_by(head).filter(pk=country.pk if country else 0).exists()
    assert editable_parts(head, chain.foreign) == frozenset()


def test_at_a_shared_device_nothing_of_another_store(chain: Chain) -> None:
    chain.area_manager.within_store_id = chain.store.pk
    assert editable_parts(chain.area_manager, chain.store) == AREA
    assert editable_parts(chain.area_manager, chain.neighbour) == frozenset()
    chain.head_office.within_store_id = chain.store.pk
    assert not nodes_editable_by(chain.head_office).exists()


@pytest.mark.parametrize(
    ("who", "page", "fields"),
    [
        ("manager", "hours", {"none": "on"}),
        ("manager", "edit", {"name": "Mine"}),
        ("area_manager", "edit", {"name": "Mine"}),
        ("area_manager", "retire", {}),
        ("area_manager", "move", {"to": "LVIV"}),
        ("deputy", "closure", {"closed_from": "2026-12-01"}),
        ("deputy", "exceptions", {"first": "2026-12-01"}),
    ],
)
def test_who_may_not_changes_nothing(client: Client, chain: Chain, who: str, page: str, fields: dict[str, str]) -> None:
    client.force_login(getattr(chain, who))
    assert client.post(f"/stores/KY1/{page}/", fields).status_code == 403
    assert not ConfigChange.objects.exists()


def test_an_area_manager_cannot_move_by_the_list(client: Client, chain: Chain) -> None:
    client.force_login(chain.area_manager)
    client.post("/setup/stores/bulk/", {"action": "retire", "store": ["KY1"], "confirmed": "1"})
    client.post("/setup/stores/bulk/", {"action": "move", "all": "1", "to": "LVIV", "confirmed": "1"})
    assert not Store.objects.exclude(retired_at=None).exists() and not ConfigChange.objects.exists()


def test_a_country_cannot_take_what_is_not_its_own(client: Client, chain: Chain) -> None:
    """Neither a store of others, nor a place of others to put one's own."""
    client.force_login(make_user(email="ky@chain.example", role=Role.HEAD_OFFICE, node=chain.area))
    client.post("/setup/stores/bulk/", {"action": "move", "store": ["LV1"], "to": "KYIV", "confirmed": "1"})
    client.post("/stores/KY1/move/", {"to": "LVIV"})
    client.post("/tree/nodes/LVIV/move/", {"to": "KYIV"})
    client.post("/tree/new/", {"parent": "LVIV", "name": "New", "kind": "area"})
    assert not ConfigChange.objects.exists()

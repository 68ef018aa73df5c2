"""A place that moves takes everything under it along, and nothing is ever above what is not its own."""

import pytest

from stores.choices import NodeKind, Role
from stores.models import Node
from stores.queries import people_by_role, stores_visible_to
from tests.factories import Chain, make_node, make_store, make_user


def test_what_lies_under_a_place_moves_with_it(chain: Chain) -> None:
    old, new = (make_node(kind=NodeKind.COUNTRY, name=name, parent=chain.root) for name in ("Old", "New"))
    region = make_node(kind=NodeKind.REGION, name="Region", parent=old)
    area = make_node(kind=NodeKind.AREA, name="Area", parent=region)
    store = make_store(node=area, code="moved")
    before, after = (
        make_user(email=f"{node.name}@chain.example", role=Role.HEAD_OFFICE, node=node) for node in (old, new)
    )
    region.parent = new
    region.save()
    area.refresh_from_db()
    assert area.path == f"{new.path}{region.pk}/{area.pk}/"
    assert not stores_visible_to(before).exists()
    assert stores_visible_to(after).get() == store
    store.refresh_from_db()
    assert after in people_by_role(store)[Role.HEAD_OFFICE] and before not in people_by_role(store)[Role.HEAD_OFFICE]


def test_a_place_that_dies_half_made_is_not_there(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path it would be above every store."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stores.models.Node.objects.filter", die, raising=False)
    with pytest.raises(KeyboardInterrupt):
        make_node(kind=NodeKind.AREA, name="Half", parent=chain.root)
    monkeypatch.undo()
    assert not Node.objects.filter(name="Half").exists()

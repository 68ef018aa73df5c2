"""What moving stores or a part of the tree changes, told before it happens: who sees them, who answers, what reports
show."""

from collections import Counter
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from stores.hooks import open_work
from stores.models import Node, RoleAssignment, Store, User
from stores.queries import LEVELS, who_answers

# Stores of more places than this are summed up without asking for each who answers.
_MOST_PLACES = 12


@dataclass(frozen=True)
class Sight:
    """A role of a person by which they come to see, or no longer see, so many of the stores."""

    assignment: RoleAssignment
    stores: int


@dataclass(frozen=True)
class Answering:
    """Who answers at one level of the ladder for stores that lie below one place, before and after."""

    place: Node
    stores: int
    level: int
    before: tuple[User, ...]
    after: tuple[User, ...]


@dataclass(frozen=True)
class MovePlan:
    """Everything a person should know before they move stores below `to`."""

    to: Node
    stores: int
    open_cases: int
    gain: list[Sight]
    lose: list[Sight]
    answering: list[Answering]
    rows_left: list[Node]
    rows_joined: list[Node]
    more_places: int

    @property
    def changes_answers(self) -> bool:
        return bool(self.answering)


def plan_stores(stores: QuerySet[Store], to: Node) -> MovePlan:
    """What changes if these stores are put below `to`."""
    moving = stores.order_by().exclude(node=to)
    counts = Counter(moving.values_list("node_id", flat=True))
    places = Node.objects.in_bulk(counts)
    groups = [_Group(places[pk], to, number) for pk, number in counts.most_common()]
    return _plan(moving, to, groups)


def plan_node(node: Node, to: Node) -> MovePlan:
    """What changes if a node with everything under it is put below `to`."""
    moving = Store.objects.filter(node__path__startswith=node.path).order_by()
    counts = Counter(moving.values_list("node_id", flat=True))
    places = Node.objects.in_bulk(counts)
    groups = []
    for pk, number in counts.most_common():
        after = copy(places[pk])
        after.path = f"{to.path}{node.pk}/" + places[pk].path.removeprefix(node.path)
        groups.append(_Group(places[pk], after, number))
    return _plan(moving, to, groups)


@dataclass(frozen=True)
class _Group:
    """So many stores of one place, as it lies before and after."""

    before: Node
    after: Node
    stores: int


def _plan(moving: QuerySet[Store], to: Node, groups: list[_Group]) -> MovePlan:
    left, joined = _differences(groups)
    nodes = Node.objects.in_bulk({*left, *joined})
    gain, lose = _sights(groups)
    answering = [line for group in groups[:_MOST_PLACES] for line in _answering(moving, group)]
    return MovePlan(
        to=to,
        stores=sum(group.stores for group in groups),
        open_cases=open_work(moving) if groups else 0,
        gain=gain,
        lose=lose,
        answering=answering,
        rows_left=sorted((nodes[pk] for pk in left), key=lambda node: node.path),
        rows_joined=sorted((nodes[pk] for pk in joined), key=lambda node: node.path),
        more_places=max(0, len(groups) - _MOST_PLACES),
    )


def _differences(groups: Iterable[_Group]) -> tuple[set[int], set[int]]:
    """The nodes whose sums lose stores, and those whose sums gain some."""
    left: set[int] = set()
    joined: set[int] = set()
    for group in groups:
        before, after = set(group.before.above), set(group.after.above)
        left |= before - after
        joined |= after - before
    return left, joined


def _sights(groups: list[_Group]) -> tuple[list[Sight], list[Sight]]:
    """Whose role at a node begins and whose ends to reach the stores; who sees them by another role loses nothing."""
    nodes = {pk for group in groups for pk in (*group.before.above, *group.after.above)}
    held = RoleAssignment.objects.filter(node__in=nodes, user__is_active=True).select_related("user", "node")
    by_node: dict[int, list[RoleAssignment]] = {}
    for assignment in held.order_by("node__path", "role", "user__name", "pk"):
        by_node.setdefault(assignment.node_id or 0, []).append(assignment)
    gain: Counter[RoleAssignment] = Counter()
    lose: Counter[RoleAssignment] = Counter()
    for group in groups:
        before = [a for pk in group.before.above for a in by_node.get(pk, [])]
        after = [a for pk in group.after.above for a in by_node.get(pk, [])]
        gain.update(dict.fromkeys(_new(after, before), group.stores))
        lose.update(dict.fromkeys(_new(before, after), group.stores))
    return _listed(gain), _listed(lose)


def _new(these: list[RoleAssignment], those: list[RoleAssignment]) -> list[RoleAssignment]:
    seeing = {assignment.user_id for assignment in those}
    return [assignment for assignment in these if assignment.user_id not in seeing]


def _listed(found: Counter[RoleAssignment]) -> list[Sight]:
    return [Sight(assignment, number) for assignment, number in found.items()]


def _answering(moving: QuerySet[Store], group: _Group) -> list[Answering]:
    """The levels at which others answer afterwards.

    A store with people of its own keeps them at the first level, whatever lies above it; the levels above are asked of
    one store, since they are the same for all stores of a place.
    """
    here = moving.filter(node=group.before).select_related("node")
    own = [role for roles in LEVELS[0] for role in roles]
    staffed = Q(staff__role__in=own, staff__user__is_active=True)
    bare = here.exclude(pk__in=here.filter(staffed).values("pk"))
    lines = []
    for level in range(len(LEVELS)):
        stores = bare if level == 0 else here
        sample = stores.first()
        if sample is None:
            continue
        before = who_answers(sample, level)
        sample.node = group.after
        after = who_answers(sample, level)
        if before != after:
            number = stores.count() if level == 0 else group.stores
            lines.append(Answering(group.before, number, level, tuple(before), tuple(after)))
    return lines

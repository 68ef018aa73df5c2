"""Whose superior somebody is: whom they see in the list of people, which roles they give, whom they may let go.

Head office and area managers give roles within their own nodes and never above their own. A store's manager looks
after its deputies, but gives no roles.
"""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from stores.choices import STORE_ROLES, Role
from stores.models import Node, RoleAssignment, Store, User
from stores.queries import held_by

RANK: dict[str, int] = {
    Role.DEPUTY: 1,
    Role.STORE_MANAGER: 2,
    Role.CALL_CENTRE_LEAD: 2,
    Role.AREA_MANAGER: 3,
    Role.HEAD_OFFICE: 4,
    Role.OPERATOR: 4,
}
# Who has people of their own, and who may let others in.
LEADING_ROLES = frozenset({Role.STORE_MANAGER, Role.CALL_CENTRE_LEAD, Role.AREA_MANAGER, Role.HEAD_OFFICE})
INVITING_ROLES = frozenset({Role.AREA_MANAGER, Role.HEAD_OFFICE})


@dataclass(frozen=True)
class RoleAt:
    """A role at a store or, for the roles that hold for more than one, at a node of the tree."""

    role: str
    store: Store | None = None
    node: Node | None = None

    @property
    def fits(self) -> bool:
        """Whether the role can be held at such a place."""
        return (self.node is None) != (self.store is None) and (self.role in STORE_ROLES) == (self.store is not None)

    @property
    def path(self) -> str:
        node = self.store.node if self.store else self.node
        return node.path if node else ""


Held = RoleAt | RoleAssignment


def _covers(mine: RoleAssignment, held: Held) -> bool:
    if mine.store_id is not None:
        return held.store is not None and held.store.pk == mine.store_id
    return held.path.startswith(mine.path)


def _outranks(mine: RoleAssignment, held: Held) -> bool:
    """Whether `mine` makes its holder the superior of whoever holds the other. Head office looks after its own."""
    if mine.role not in LEADING_ROLES or not _covers(mine, held):
        return False
    if RANK[mine.role] == RANK[held.role] and mine.role != Role.HEAD_OFFICE:
        return mine.store_id is None and held.path != mine.path
    return RANK[mine.role] >= RANK[held.role]


class Standing:
    """What one person may do about others. Reads their roles once."""

    def __init__(self, person: User) -> None:
        self.person = person

    @cached_property
    def held(self) -> list[RoleAssignment]:
        return roles_held(self.person)

    @property
    def leads(self) -> bool:
        """Whether there is a list of people for them."""
        return any(mine.role in LEADING_ROLES for mine in self.held)

    @property
    def invites(self) -> bool:
        """Whether they may let people in and give roles."""
        return any(mine.role in INVITING_ROLES for mine in self.held)

    @property
    def _heads_everything(self) -> bool:
        return any(mine.role == Role.HEAD_OFFICE and mine.node and mine.node.parent_id is None for mine in self.held)

    def may_give(self, wanted: RoleAt) -> bool:
        """Whether they may give this role there."""
        return any(
            mine.role in INVITING_ROLES and _covers(mine, wanted) and RANK[wanted.role] <= RANK[mine.role]
            for mine in self.held
        )

    def may_take(self, held: Held) -> bool:
        """Whether they may take this role from whoever holds it."""
        return any(mine.role in INVITING_ROLES and _outranks(mine, held) for mine in self.held)

    def is_superior_of(self, person: User) -> bool:
        """Whether they look after this person: enter absences, end devices. Nobody does of whoever ranks above them,
        even where that one helps out below."""
        theirs = roles_held(person)
        if not theirs:
            return self._heads_everything
        if not self.held or RANK[theirs[0].role] > RANK[self.held[0].role]:
            return False
        return any(_outranks(mine, held) for mine in self.held for held in theirs)

    def may_close(self, person: User) -> bool:
        """Whether they may end this person's account: every role of theirs must be theirs to take. Nobody's own."""
        theirs = roles_held(person)
        if person.pk == self.person.pk:
            return False
        return all(self.may_take(held) for held in theirs) if theirs else self._heads_everything

    def roles_to_give(self) -> list[str]:
        """The roles they may give somewhere, highest first."""
        most = max((RANK[mine.role] for mine in self.held if mine.role in INVITING_ROLES), default=0)
        return sorted((role for role in Role.values if RANK[role] <= most), key=lambda role: -RANK[role])

    def nodes(self) -> QuerySet[Node]:
        """The places of the tree within which they give roles."""
        reach = Q(pk__in=[])
        for mine in self.held:
            if mine.role in INVITING_ROLES:
                reach |= Q(path__startswith=mine.path)
        return Node.objects.filter(reach, retired_at=None)

    def stores(self) -> QuerySet[Store]:
        """The stores at which they give roles."""
        return Store.objects.filter(node__in=self.nodes(), retired_at=None)


def roles_held(person: User) -> list[RoleAssignment]:
    """All roles of one person with their places, the widest first."""
    return sorted(held_by(person), key=lambda held: (-RANK[held.role], held.path, held.pk))


def people_visible_to(viewer: User) -> QuerySet[User]:
    """Oneself, and everybody with a role in what one leads. Those without any role are the whole chain's head office's.

    Every query about people starts here.
    """
    standing = Standing(viewer)
    within = Q(pk__in=[])
    for mine in standing.held:
        if mine.role not in LEADING_ROLES:
            continue
        if mine.store_id is not None:
            within |= Q(store=mine.store_id)
        else:
            within |= Q(node__path__startswith=mine.path) | Q(store__node__path__startswith=mine.path)
    theirs = RoleAssignment.objects.filter(user=OuterRef("pk"))
    seen = Q(pk=viewer.pk) | Q(Exists(theirs.filter(within)))
    if standing._heads_everything:
        seen |= ~Q(Exists(theirs))
    return User.objects.filter(seen)


def get_person_or_404(viewer: User, pk: int) -> User:
    """The person, if the viewer may know of them; strangers cannot tell them from somebody who is not there."""
    person = people_visible_to(viewer).filter(pk=pk).first()
    if person is None:
        raise Http404
    return person


def possible_stand_ins(person: User) -> QuerySet[User]:
    """Active people whose roles reach what this person answers for, at least in part."""
    reach = Q(pk__in=[])
    for held in roles_held(person):
        above = [int(part) for part in held.path.strip("/").split("/")]
        reach |= Q(node__in=above)
        if held.store_id is not None:
            reach |= Q(store=held.store_id)
        else:
            reach |= Q(node__path__startswith=held.path)
    reaching = RoleAssignment.objects.filter(reach, user=OuterRef("pk")).exclude(role=Role.OPERATOR)
    return User.objects.filter(Exists(reaching), is_active=True).exclude(pk=person.pk).order_by("sort_key", "pk")

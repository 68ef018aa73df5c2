"""Who sees and who answers for which store."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from stores.choices import CASE_ROLES, Role
from stores.models import RoleAssignment, Store, User


def stores_visible_to(user: User, *, roles: Collection[str] = CASE_ROLES) -> QuerySet[Store]:
    """The stores that one of the user's `roles` reaches. Every staff query starts here."""
    held = list(RoleAssignment.objects.filter(user=user, role__in=roles).select_related("node"))
    reach = Q(pk__in=[a.store_id for a in held if a.store_id])
    for assignment in held:
        if assignment.node:
            reach |= Q(node__path__startswith=assignment.node.path)
    return Store.objects.filter(reach) if held else Store.objects.none()


def roles_of(user: User) -> set[str]:
    """The names of the user's roles, wherever they hold."""
    if not user.is_authenticated:
        return set()
    cached: set[str] | None = getattr(user, "_role_names", None)
    if cached is None:
        cached = set(RoleAssignment.objects.filter(user=user).values_list("role", flat=True))
        user._role_names = cached  # type: ignore[attr-defined]
    return cached


def people_by_role(store: Store) -> dict[str, list[User]]:
    """The active people of every role that reaches this store, directly or through a node above it, in one query."""
    above = [int(part) for part in store.node.path.strip("/").split("/")]
    assignments = RoleAssignment.objects.filter(Q(store=store) | Q(node__in=above), user__is_active=True)
    found: dict[str, list[User]] = {}
    for assignment in assignments.select_related("user").order_by("user__id"):
        people = found.setdefault(assignment.role, [])
        if assignment.user not in people:
            people.append(assignment.user)
    return found


# Who answers at each level of the escalation ladder, lowest first.
LEVELS: tuple[tuple[str, ...], ...] = (
    (Role.STORE_MANAGER, Role.CALL_CENTRE_LEAD),
    (Role.AREA_MANAGER,),
    (Role.HEAD_OFFICE,),
)


def who_answers(store: Store, level: int = 0, *, people: dict[str, list[User]] | None = None) -> list[User]:
    """The people at a level of the ladder (0 store, 1 area, 2 head office).

    An empty level passes to the next one up: a store without a manager is the area manager's. Empty only when the
    chain has nobody at all. `people` spares the query to whoever has asked `people_by_role` already.
    """
    people = people_by_role(store) if people is None else people
    for roles in LEVELS[min(level, len(LEVELS) - 1) :]:
        answering = [person for role in roles for person in people.get(role, [])]
        if answering:
            return list(dict.fromkeys(answering))
    return []

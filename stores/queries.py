"""Who sees and who answers for which store."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, FilteredRelation, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from core.quick import Compiled
from stores.choices import CASE_ROLES, Role
from stores.models import Node, RoleAssignment, Store, User


def held_by(user: User) -> list[RoleAssignment]:
    """All roles of a person with their places; of whoever opens a page those that `roles_of` has read for it."""
    if user.known_roles is not None:
        return user.known_roles
    return _roles_of(user.pk)


# Asked by every page of staff.
_roles_of = Compiled(lambda user: RoleAssignment.objects.filter(user=user).select_related("store__node", "node"), -1)


def forget_roles(user: User) -> None:
    """What this person may do has changed while their page is being made."""
    user.known_roles = None


def stores_visible_to(user: User, *, roles: Collection[str] = CASE_ROLES) -> QuerySet[Store]:
    """The stores that one of the user's `roles` reaches. Every staff query starts here.

    Of somebody at a store's shared device: that store, and no other.
    """
    held = [one for one in held_by(user) if one.role in roles]
    reach = Q(pk__in=[a.store_id for a in held if a.store_id])
    for assignment in held:
        if assignment.node:
            reach |= Q(node__path__startswith=assignment.node.path)
    if not held:
        return Store.objects.none()
    if user.within_store_id is not None:
        reach &= Q(pk=user.within_store_id)
    return Store.objects.filter(reach)


def places_of(stores: QuerySet[Store]) -> QuerySet[Node]:
    """The nodes below which these stores lie, up to the root."""
    leaves = Node.objects.filter(pk__in=stores.order_by().values("node"))
    return Node.objects.filter(pk__in={pk for node in leaves for pk in node.above})


def roles_of(user: User) -> set[str]:
    """The names of the user's roles, wherever they hold.

    Whatever else asks about this very object, which is that of one request, then asks the database no more.
    """
    if not user.is_authenticated:
        return set()
    user.known_roles = held_by(user)
    return {held.role for held in user.known_roles}


def everybody_of(store: Store) -> list[User]:
    """The active people whose roles reach this store and who act on cases, away or not."""
    found = User.objects.filter(roles__in=_assignments_of(store).filter(role__in=CASE_ROLES))
    return list(found.distinct().order_by("pk"))


def _assignments_of(store: Store) -> QuerySet[RoleAssignment]:
    return RoleAssignment.objects.filter(Q(store=store) | Q(node__in=store.node.above), user__is_active=True)


def people_by_role(store: Store, *, at: datetime | None = None) -> dict[str, list[User]]:
    """Who answers in each role that reaches this store, directly or through a node above it, in one query.

    Only active people who are not away `at` that moment (None: now). Whoever is away is replaced by their stand-in, if
    that one is there and has a role here that acts on cases.
    """
    rows = _answering(store, at)
    people, stand_ins = _stand_ins(rows)
    found: dict[str, list[User]] = {}
    for row in rows:
        person = _in_place_of(row.user, people, stand_ins)
        if person is not None and person not in found.setdefault(row.role, []):
            found[row.role].append(person)
    return {role: answering for role, answering in found.items() if answering}


def in_their_place(store: Store, ids: Collection[int], *, at: datetime | None = None) -> list[User]:
    """Of these people those who act on the store's cases, each who is away `at` that moment (None: now) replaced as in
    `people_by_role`."""
    rows = _answering(store, at)
    people, stand_ins = _stand_ins(rows)
    there = [_in_place_of(people[pk], people, stand_ins) for pk in ids if pk in people]
    return list(dict.fromkeys(person for person in there if person is not None))


def _answering(store: Store, at: datetime | None) -> list[Any]:
    """The assignments that reach the store, each with the absence that its holder has, in one query."""
    return list(_with_absences(store.pk, store.node.above, at or timezone.now()))


def _stand_ins(rows: list[Any]) -> tuple[dict[int, User], dict[int, int | None]]:
    """Who acts on cases, and who of all is away with whom in their place."""
    people = {row.user_id: row.user for row in rows if row.role in CASE_ROLES}
    # Of two absences at the same time the one that was entered last says who stands in.
    return people, {row.user_id: row.stand_in_id for row in rows if row.absence_id}


def _assignments_at(store_id: int, nodes: list[int], now: datetime) -> QuerySet[RoleAssignment]:
    away = Q(
        user__absences__starts_at__lte=now, user__absences__ends_at__gt=now, user__absences__cancelled_at__isnull=True
    )
    above = RawSQL("SELECT unnest(%s::bigint[])", [nodes])
    return (
        RoleAssignment.objects.filter(Q(store=store_id) | Q(node__in=above), user__is_active=True)
        .annotate(absence=FilteredRelation("user__absences", condition=away))
        .annotate(absence_id=F("absence__id"), stand_in_id=F("absence__stand_in_id"))
        .select_related("user")
        .order_by("user_id", "absence__created_at")
    )


_with_absences = Compiled(_assignments_at, -1, [-2], datetime(1, 1, 2, tzinfo=UTC))


def _in_place_of(person: User, people: dict[int, User], stand_ins: dict[int, int | None]) -> User | None:
    """The person, or, while they are away, whoever stands in for them or for their stand-in."""
    passed: set[int] = set()
    while person.pk in stand_ins:
        passed.add(person.pk)
        stand_in = people.get(stand_ins[person.pk] or 0)
        if stand_in is None or stand_in.pk in passed:
            return None
        person = stand_in
    return person


# Who answers at each level of the escalation ladder, lowest first; of a level, whom to ask first.
LEVELS: tuple[tuple[tuple[str, ...], ...], ...] = (
    ((Role.STORE_MANAGER, Role.CALL_CENTRE_LEAD), (Role.DEPUTY,)),
    ((Role.AREA_MANAGER,),),
    ((Role.HEAD_OFFICE,),),
)


def who_answers(
    store: Store, level: int = 0, *, at: datetime | None = None, people: dict[str, list[User]] | None = None
) -> list[User]:
    """The people who answer at a level of the ladder (0 store, 1 area, 2 head office), `at` a moment (None: now).

    The absent are passed over: first their stand-ins answer, then the store's deputies, then the next level up, and
    when nobody is left above, the nearest level below. Empty only when nobody of the chain who reaches the store is
    there. `people` spares the query to whoever has asked `people_by_role` already.
    """
    people = people_by_role(store, at=at) if people is None else people
    level = min(level, len(LEVELS) - 1)
    for groups in (*LEVELS[level:], *reversed(LEVELS[:level])):
        for roles in groups:
            answering = [person for role in roles for person in people.get(role, [])]
            if answering:
                return list(dict.fromkeys(answering))
    return []


def commonest_zone(stores: QuerySet[Store]) -> ZoneInfo | None:
    """The zone in which most of them are, where whatever is of several stores begins its days; None of none."""
    zones = stores.values_list("time_zone").annotate(n=Count("pk")).order_by("-n", "time_zone")
    most = zones.first()
    return ZoneInfo(most[0]) if most else None

"""Who sees which action, who may change it, who can own one, and what day it is where it is done."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import reduce
from operator import or_
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from reports.filters import Scope
from reports.models import Action, ActionState
from stores.choices import ACTION_ROLES, REPORT_ROLES
from stores.models import Node, RoleAssignment, Store, User
from stores.queries import held_by


def actions_visible_to(scope: Scope) -> QuerySet[Action]:
    """The actions about places that a reader of reports may see whole."""
    return Action.objects.filter(Q(store__in=scope.stores) | Q(node__in=scope.nodes)).select_related(
        "store__node", "node", "owner", "cause"
    )


def actions_about(store: Store) -> QuerySet[Action]:
    """The actions that concern a store: its own, and those of the places above it."""
    found = Action.objects.filter(Q(store=store) | Q(node__in=store.node.above))
    return found.select_related("store", "node", "owner", "cause")


def time_zones_of(places: Iterable[Node | Store]) -> dict[Node | Store, ZoneInfo]:
    """A store's own; of a node that of most stores below it, the chain's without any. One query for all nodes."""
    distinct = set(places)
    nodes = [place for place in distinct if isinstance(place, Node)]
    zones: dict[Node | Store, ZoneInfo] = {
        place: ZoneInfo(place.time_zone) for place in distinct if isinstance(place, Store)
    }
    if not nodes:
        return zones
    below = reduce(or_, (Q(node__path__startswith=node.path) for node in nodes))
    stores = Store.objects.filter(below).order_by().values_list("node__path", "time_zone").annotate(n=Count("pk"))
    sizes: dict[Node, Counter[str]] = {node: Counter() for node in nodes}
    for path, zone, n in stores:
        for node in nodes:
            if path.startswith(node.path):
                sizes[node][zone] += n
    for node, found in sizes.items():
        commonest = min(found, key=lambda zone: (-found[zone], zone), default=settings.TIME_ZONE)
        zones[node] = ZoneInfo(commonest)
    return zones


def time_zone_of(place: Node | Store) -> ZoneInfo:
    """Where its days begin."""
    return time_zones_of([place])[place]


def today_at(place: Node | Store) -> date:
    """The date it is there."""
    return timezone.now().astimezone(time_zone_of(place)).date()


def is_late(action: Action, zone: ZoneInfo) -> bool:
    """Whether it is under way after its day, on the calendar of its place, whose zone this is."""
    return action.state == ActionState.OPEN and action.due_on < timezone.now().astimezone(zone).date()


def ended_on(action: Action, zone: ZoneInfo) -> date | None:
    """On the calendar of its place, whose zone this is; None while it is under way."""
    return action.ended_at.astimezone(zone).date() if action.ended_at else None


def may_decide(user: User, place: Node | Store) -> bool:
    """Whether this person may begin something there and say who does it by when."""
    if user.within_store_id is not None and (not isinstance(place, Store) or place.pk != user.within_store_id):
        return False
    above = _above(place)
    store_id = place.pk if isinstance(place, Store) else None
    held = [one for one in held_by(user) if one.role in ACTION_ROLES]
    return any(one.node_id in above or (store_id and one.store_id == store_id) for one in held)


def may_change(user: User, action: Action) -> bool:
    """Whoever decides there, and the owner."""
    return action.owner_id == user.pk or may_decide(user, action.place)


def owners_for(place: Node | Store) -> QuerySet[User]:
    """The people who see the place whole and so can own what is done there."""
    reach = Q(node__in=_above(place))
    if isinstance(place, Store):
        reach |= Q(store=place)
    held = RoleAssignment.objects.filter(reach, role__in=REPORT_ROLES, user__is_active=True)
    return User.objects.filter(roles__in=held).distinct().order_by("sort_key", "pk")


def places_for(action: Action, user: User, scope: Scope) -> dict[str, Node | Store]:
    """Where an action may be about, by key: its place, and the nodes above it at which the person decides."""
    above = scope.nodes.filter(pk__in=_above(action.place)).order_by("-path")
    found = [action.place, *(node for node in above if may_decide(user, node))]
    if action.case is not None and action.case.store in scope.stores:
        found.append(action.case.store)
    return {place_key(place): place for place in found}


def place_key(place: Node | Store) -> str:
    """A place as it stands in forms and entries."""
    return f"{'store' if isinstance(place, Store) else 'node'}:{place.pk}"


def _above(place: Node | Store) -> list[int]:
    return place.node.above if isinstance(place, Store) else place.above

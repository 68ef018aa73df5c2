"""Which pages a role may open at all, which stores it may open there, and what of them it may change."""

from collections.abc import Callable, Collection
from enum import StrEnum
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from stores.choices import Role
from stores.models import Device, Node, Store, User
from stores.queries import held_by, roles_of, stores_visible_to


class StaffRequest(HttpRequest):
    """A request behind the sign-in, where `user` is always a member of staff.

    `device` is the enrolled device that stood in for the sign-in, None after a full one; `shared_device` is the store's
    own device on which the page is shown.
    """

    user: User
    htmx: HtmxDetails
    device: Device | None
    shared_device: Device | None


P = ParamSpec("P")
View = Callable[Concatenate[StaffRequest, P], HttpResponseBase]
# Everybody who works here. An operator runs the installation: stores and status, no words.
STAFF_ROLES = frozenset(Role)


def roles_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """Open the page to people who hold one of `roles` anywhere; everybody else gets 403."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: StaffRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if roles_of(request.user).isdisjoint(roles):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def opens_on_devices(view: View[P]) -> View[P]:
    """Also let people in who come by an enrolled phone, or by their PIN at a store's shared device.

    Pages without this ask them to sign in: what is exported, configured or about other people takes a full sign-in.
    """
    view.opens_on_devices = True  # type: ignore[attr-defined]
    return view


def page_of_ours(wish: str, otherwise: str) -> str:
    """Where a form may lead back to: a path within this site, or else `otherwise`."""
    ours = wish.startswith("/") and url_has_allowed_host_and_scheme(wish, allowed_hosts=None)
    return wish if ours else otherwise


def get_store_or_404(user: User, code: str) -> Store:
    """The store, if one of the user's roles reaches it; strangers cannot tell it from one that is not there."""
    return get_object_or_404(stores_visible_to(user, roles=STAFF_ROLES).select_related("node"), code=code)


class Part(StrEnum):
    """What of a store can be changed by itself."""

    PLACE = "place"  # where it lies in the tree, and whether it is retired
    MASTER = "master"
    HOURS = "hours"
    EXCEPTIONS = "exceptions"
    CLOSURE = "closure"
    TOUCHPOINTS = "touchpoints"


# Who may change what of the stores that the role reaches; whoever is not named here reads.
_EDITS: dict[str, frozenset[Part]] = {
    Role.HEAD_OFFICE: frozenset(Part),
    Role.OPERATOR: frozenset(Part),
    Role.AREA_MANAGER: frozenset({Part.HOURS, Part.EXCEPTIONS, Part.CLOSURE, Part.TOUCHPOINTS}),
    Role.STORE_MANAGER: frozenset({Part.EXCEPTIONS, Part.CLOSURE}),
}


def editable_parts(user: User, store: Store) -> frozenset[Part]:
    """Everything of the store that this person may change."""
    if user.within_store_id not in {None, store.pk}:
        return frozenset()
    above = store.node.above
    reaching = [held.role for held in held_by(user) if held.store_id == store.pk or held.node_id in above]
    return frozenset[Part]().union(*(_EDITS.get(role, ()) for role in reaching))


def parts_by_role(user: User) -> frozenset[Part]:
    """What this person may change of a store that one of their roles reaches, whether there is one yet or not."""
    return frozenset[Part]().union(*(_EDITS.get(held.role, ()) for held in held_by(user)))


def may_edit(user: User, store: Store, what: Part) -> bool:
    """Whether this person may change that part of the store."""
    return what in editable_parts(user, store)


def stores_editable_by(user: User, what: Part) -> QuerySet[Store]:
    """The stores of which this person may change that part."""
    return stores_visible_to(user, roles={role for role, parts in _EDITS.items() if what in parts})


def nodes_editable_by(user: User) -> QuerySet[Node]:
    """The nodes that this person may rename, move, retire or put something below: where a role that may do everything
    holds, and everything under it."""
    return nodes_reached_by(user, {role for role, parts in _EDITS.items() if Part.PLACE in parts})


def nodes_reached_by(user: User, roles: Collection[str]) -> QuerySet[Node]:
    """The nodes at which one of the user's `roles` holds, and everything under them."""
    if user.within_store_id is not None:
        return Node.objects.none()
    reach = Q(pk__in=[])
    for held in held_by(user):
        if held.node and held.role in roles:
            reach |= Q(path__startswith=held.node.path)
    return Node.objects.filter(reach)


def editable_store_or_404(user: User, code: str, what: Part) -> Store:
    """The store to be changed: 404 to strangers, PermissionDenied to those who may only read it."""
    store = get_store_or_404(user, code)
    if not may_edit(user, store, what):
        raise PermissionDenied
    return store

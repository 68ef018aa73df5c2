"""Which pages a role may open at all, and which stores it may open there."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django_htmx.middleware import HtmxDetails

from stores.choices import Role
from stores.models import Store, User
from stores.queries import roles_of, stores_visible_to


class StaffRequest(HttpRequest):
    """A request behind the sign-in, where `user` is always a member of staff."""

    user: User
    htmx: HtmxDetails


P = ParamSpec("P")
View = Callable[Concatenate[StaffRequest, P], HttpResponse]
# Everybody who works here. An operator runs the installation: stores and status, no words.
STAFF_ROLES = frozenset(Role)


def roles_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """Open the page to people who hold one of `roles` anywhere; everybody else gets 403."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: StaffRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if roles_of(request.user).isdisjoint(roles):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def get_store_or_404(user: User, code: str) -> Store:
    """The store, if one of the user's roles reaches it; strangers cannot tell it from one that is not there."""
    return get_object_or_404(stores_visible_to(user, roles=STAFF_ROLES).select_related("node"), code=code)

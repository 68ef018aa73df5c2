"""One store with everything about it on one screen, and what was changed of it."""

from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from stores import qr
from stores.access import STAFF_ROLES, StaffRequest, editable_parts, get_store_or_404, roles_required
from stores.actions import changes_of
from stores.checklist import gaps_of
from stores.choices import CASE_ROLES, Role, StoreKind
from stores.history import entries
from stores.hooks import panels_of
from stores.hours import coming_days, iso_week, week_of
from stores.models import Node, RoleAssignment, Store, User
from stores.opening import hours_of
from stores.public_holidays import country_name
from stores.queries import LEVELS, people_by_role, roles_of, who_answers
from stores.standing import RoleAt, Standing, people_visible_to

_CHANGES = 3
_CHANGES_PER_PAGE = 50


def _staff_of(store: Store) -> list[RoleAssignment]:
    """Everybody whose role reaches the store, its own people first, then up the tree; those invited too."""
    found = (
        RoleAssignment.objects.filter(Q(store=store) | Q(node__in=store.node.above), user__left_at=None)
        .exclude(role=Role.OPERATOR)
        .select_related("user", "node")
        .order_by("node__path", "role", "user__name")
    )
    return sorted(found, key=lambda a: (a.store_id is None, -len(a.node.path) if a.node else 0))


def _seen_people(reader: User, staff: list[RoleAssignment]) -> set[int]:
    """Of whom the reader may open the page."""
    return set(people_visible_to(reader).filter(pk__in={held.user_id for held in staff}).values_list("pk", flat=True))


def _answering(store: Store) -> list[tuple[int, list[User]]]:
    """Who answers at each level of the ladder now; levels that nobody answers by themselves are left out."""
    people = people_by_role(store)
    lines: list[tuple[int, list[User]]] = []
    for level in range(len(LEVELS)):
        answering = who_answers(store, level, people=people)
        if answering and (not lines or lines[-1][1] != answering):
            lines.append((level, answering))
    return lines


@require_safe
@roles_required(*STAFF_ROLES)
def store(request: StaffRequest, code: str) -> HttpResponse:
    """One store on one screen: what is missing, where and when it is open, who answers, its codes, its work."""
    found = get_store_or_404(request.user, code)
    now = timezone.now().astimezone(ZoneInfo(found.time_zone))
    hours = hours_of(found)
    parts = editable_parts(request.user, found)
    staff = _staff_of(found)
    first_role = Role.STORE_MANAGER if found.kind == StoreKind.SHOP else Role.CALL_CENTRE_LEAD
    context: dict[str, Any] = {
        "store": found,
        "above": list(Node.objects.filter(pk__in=found.node.above).order_by("path")),
        "country": country_name(found.country),
        "may": {part.value: True for part in parts},
        "now": now,
        "week": week_of(found, hours, now.date()),
        "coming": coming_days(found, hours, now.date()),
        "gaps": [] if found.retired_at else [(gap, gap.address(found)) for gap in gaps_of([found])[found.pk]],
        "staff": staff,
        "seen_people": _seen_people(request.user, staff),
        "first_role": first_role,
        "may_invite": not found.retired_at and Standing(request.user).may_give(RoleAt(first_role, store=found)),
        "answering": _answering(found),
        "touchpoints": _touchpoints(found),
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "reads_words": bool(roles_of(request.user) & CASE_ROLES),
        "this_week": iso_week(now.date()),
        "panels": panels_of(request.user, found),
        "changes": entries(changes_of(found)[:_CHANGES]),
    }
    return render(request, "stores/store.html", context)


def _touchpoints(store: Store) -> list[dict[str, Any]]:
    spots = store.touchpoints.filter(retired_at=None).order_by("kind", "name", "pk")
    return [{"touchpoint": spot, "url": qr.touchpoint_url(spot.code), "typed": spot.typed} for spot in spots]


@require_safe
@roles_required(*STAFF_ROLES)
def store_history(request: StaffRequest, code: str) -> HttpResponse:
    """Who changed what of the store, newest first."""
    found = get_store_or_404(request.user, code)
    page = Paginator(changes_of(found), _CHANGES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"store": found, "page": page, "changes": entries(page), "query": ""}
    return render(request, "stores/history.html", context)

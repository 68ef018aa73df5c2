"""One store with everything about it."""

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from stores import qr
from stores.access import STAFF_ROLES, StaffRequest, get_store_or_404, roles_required
from stores.choices import CASE_ROLES, Role
from stores.hours import coming_exceptions, iso_week, week_of
from stores.models import RoleAssignment, Store
from stores.queries import roles_of


def _staff_of(store: Store) -> QuerySet[RoleAssignment]:
    """Everybody who answers for the store, its own people first, then up the tree."""
    above = [int(part) for part in store.node.path.strip("/").split("/")]
    return (
        RoleAssignment.objects.filter(Q(store=store) | Q(node__in=above), user__is_active=True)
        .exclude(role=Role.OPERATOR)
        .select_related("user", "node")
        .order_by("node__path", "role", "user__name")
    )


@require_safe
@roles_required(*STAFF_ROLES)
def store(request: StaffRequest, code: str) -> HttpResponse:
    """One store on one screen: where and when it is open, who answers, and its codes."""
    found = get_store_or_404(request.user, code)
    now = timezone.now().astimezone(ZoneInfo(found.time_zone))
    staff = list(_staff_of(found))
    # People of the store first: a role at a node is answerable from above.
    staff.sort(key=lambda a: (a.store_id is None, -len(a.node.path) if a.node else 0))
    touchpoints = [
        {
            "touchpoint": touchpoint,
            "url": qr.touchpoint_url(touchpoint.code),
            "typed": "-".join(touchpoint.code[i : i + 4] for i in range(0, len(touchpoint.code), 4)),
        }
        for touchpoint in found.touchpoints.filter(retired_at=None).order_by("kind", "name", "pk")
    ]
    context = {
        "store": found,
        "now": now,
        "week": week_of(found, now),
        "exceptions": coming_exceptions(found, now.date()),
        "staff": staff,
        "has_manager": any(a.role in {Role.STORE_MANAGER, Role.CALL_CENTRE_LEAD} for a in staff),
        "touchpoints": touchpoints,
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "reads_words": bool(roles_of(request.user) & CASE_ROLES),
        "this_week": iso_week(now.date()),
    }
    return render(request, "stores/store.html", context)

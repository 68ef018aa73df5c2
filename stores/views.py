"""The stores' pages: the list, one store with its codes, and the way in."""

from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from core.tokens import clean_typed_code
from stores import qr
from stores.access import STAFF_ROLES, StaffRequest, get_store_or_404, roles_required
from stores.choices import CASE_ROLES, Role
from stores.hours import coming_exceptions, iso_week, week_of
from stores.models import RoleAssignment, Store
from stores.queries import roles_of, stores_visible_to

STORES_PER_PAGE = 50


@require_safe
def home(request: StaffRequest) -> HttpResponse:
    """Where this person's day begins."""
    held = roles_of(request.user)
    if held & CASE_ROLES:
        return redirect("inbox")
    if held:
        return redirect("stores")
    return render(request, "stores/no_role.html", status=403)


@require_safe
@roles_required(*STAFF_ROLES)
def store_list(request: StaffRequest) -> HttpResponse:
    """The stores this person may see, found by name, city or code."""
    visible = stores_visible_to(request.user, roles=STAFF_ROLES).filter(retired_at=None)
    wanted = request.GET.get("q", "").strip()
    found = visible.select_related("node").order_by("sort_key", "pk")
    if wanted:
        found = found.filter(Q(name__icontains=wanted) | Q(city__icontains=wanted) | Q(code__istartswith=wanted))
    page = Paginator(found, STORES_PER_PAGE).get_page(request.GET.get("page"))
    template = "stores/list.html#found" if request.htmx else "stores/list.html"
    return render(request, template, {"page": page, "wanted": wanted, "wanted_query": quote(wanted)})


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


@require_safe
@roles_required(*STAFF_ROLES)
def touchpoint_qr(request: StaffRequest, code: str, touchpoint: str, kind: str) -> HttpResponse:
    """The QR code of one touchpoint; `?download` hands it over as a file."""
    found = get_store_or_404(request.user, code)
    spot = get_object_or_404(found.touchpoints, code=clean_typed_code(touchpoint))
    text = qr.touchpoint_url(spot.code)
    if kind == "svg":
        response = HttpResponse(qr.svg(text, str(spot)), content_type="image/svg+xml")
    elif kind == "png":
        response = HttpResponse(qr.png(text), content_type="image/png")
    else:
        raise Http404
    if "download" in request.GET:
        response["Content-Disposition"] = f'attachment; filename="{found.code}-{spot.kind}-{spot.code}.{kind}"'
    response["Cache-Control"] = "private, max-age=3600"
    return response


@require_POST
def set_language(request: StaffRequest) -> HttpResponse:
    """Keep the language that a member of staff wants to read."""
    wish = request.POST.get("language", "")
    if wish in dict(settings.LANGUAGES):
        user = request.user
        user.language = wish
        user.save(update_fields=["language"])
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = reverse("home")
    return redirect(back)

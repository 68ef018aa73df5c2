"""The list of stores."""

from urllib.parse import quote

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from stores.access import STAFF_ROLES, StaffRequest, roles_required
from stores.queries import stores_visible_to

STORES_PER_PAGE = 50


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

"""Head office's page of who was asked, who was not and why, who left without sending, and what programs did."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from stores.access import StaffRequest, roles_required
from stores.choices import Role
from stores.queries import stores_visible_to
from stores.sorting import folded
from surveys.asking_figures import DAYS, by_channel, by_store

PER_PAGE = 30


@require_safe
@roles_required(Role.HEAD_OFFICE)
def asking(request: StaffRequest) -> HttpResponse:
    """Four weeks by channel, and store by store."""
    query = request.GET.get("q", "").strip()[:100]
    ours = stores_visible_to(request.user, roles={Role.HEAD_OFFICE})
    listed = ours.filter(retired_at=None)
    for word in folded(query).split():
        listed = listed.filter(search_text__contains=word)
    page = Paginator(listed.order_by("sort_key", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "days": DAYS,
        "channels": by_channel(ours),
        "page": page,
        "rows": by_store(page),
        "q": query,
        "paging_query": f"{urlencode({'q': query})}&" if query else "",
    }
    return render(request, "surveys/asking.html", context)

"""`/reports/store/<code>/`: the screen of a store; where whoever runs one lands from "Reports"."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from reports.charts import week_chart
from reports.filters import Scope, find_store, scope_of
from reports.statistics import MIN_RANKED, MIN_SHOWN
from reports.store_view import store_view_of
from reports.wall import things_waiting
from stores.access import StaffRequest
from stores.models import Store

# As many stores are beside each other to choose from; more are found by region.
_MOST_BESIDE = 12


@require_safe
def my_store(request: StaffRequest) -> HttpResponse:
    """`/reports/store/`: the first of the reader's stores."""
    scope = scope_of(request.user)
    first = scope.stores.select_related("node").filter(retired_at=None).order_by("sort_key").first()
    if first is None:
        raise Http404
    return _shown(request, scope, first)


@require_safe
def store_view(request: StaffRequest, code: str) -> HttpResponse:
    """One store of the reader's."""
    scope = scope_of(request.user)
    store = find_store(scope.stores, code)
    if store is None:
        raise Http404
    return _shown(request, scope, store)


def _shown(request: StaffRequest, scope: Scope, store: Store) -> HttpResponse:
    found = store_view_of(store, scope, request.user)
    last_week = found.this_week.week + -1
    beside = list(scope.stores.filter(retired_at=None).order_by("sort_key")[: _MOST_BESIDE + 1])
    context = {
        "view": found,
        "store": store,
        "chart": week_chart(found.found.points),
        "last_week": last_week,
        "waiting": len(things_waiting(store, last_week)),
        "by_agent": settings.AGENT_FIGURES,
        "min_shown": MIN_SHOWN,
        "min_ranked": MIN_RANKED,
        "begin_at": ("store", store.code),
        "beside": beside if 1 < len(beside) <= _MOST_BESIDE else [],
    }
    return render(request, "reports/store_view.html", context)

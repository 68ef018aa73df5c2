"""Pages of figures and words. Each starts from the stores its reader may see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from reports.charts import week_chart
from reports.figures import Overview, StoreRow
from reports.filters import (
    WEEKS,
    Filters,
    Scope,
    node_options,
    read_filters,
    scope_of,
    selected_stores,
)
from reports.overview import newest_verbatims, overview
from reports.periods import Period, Week, latest_day
from reports.statistics import MIN_RANKED, MIN_SHOWN
from stores.choices import StoreKind
from stores.models import Store, User
from surveys.choices import ResponseChannel, SampleKind
from surveys.editor.trends import breaks_between

# More stores than this are chosen from the table, or by region first.
_LONGEST_LIST = 300


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """`/reports/`: how the chosen stores do, and how sure that is."""
    scope = scope_of(_reader(request))
    filters = read_filters(request, scope)
    stores = list(selected_stores(scope, filters).select_related("node"))
    siblings = list(scope.stores.filter(node__in={store.node_id for store in stores}))
    period = Period(Week.of(latest_day({store.time_zone for store in stores})), filters.weeks)
    found = overview(stores, siblings, filters, period)
    context = {
        "overview": found,
        "store_groups": _store_groups(found),
        "shop_count": sum(store.kind == StoreKind.SHOP for store in stores),
        "call_centre_count": sum(store.kind == StoreKind.CALL_CENTRE for store in stores),
        "filters": filters,
        "period": period,
        "chart": week_chart(found.weeks),
        "breaks": breaks_between(period.start, period.end),
        "only_store": stores[0] if len(stores) == 1 else None,
        "verbatims": newest_verbatims(stores, filters),
        "min_ranked": MIN_RANKED,
        "min_shown": MIN_SHOWN,
        **_choices(scope, filters),
    }
    return render(request, "reports/overview.html", context)


def _store_groups(found: Overview) -> list[tuple[list[StoreRow], str]]:
    """The rows of the table of stores in the order shown, each group with its heading."""
    return [
        (found.ranked, ""),
        (found.few, gettext("Too few to rank")),
        (found.hidden, gettext("Score hidden")),
        (found.silent, gettext("No answers of this kind")),
    ]


def _choices(scope: Scope, filters: Filters) -> dict[str, object]:
    """What the form of filters offers."""
    stores: list[Store] = []
    if scope.stores.count() <= _LONGEST_LIST:
        stores = list(scope.stores.order_by("sort_key"))
    elif filters.store:
        stores = [filters.store]
    return {
        "node_choices": node_options(scope),
        "store_choices": stores,
        "channel_choices": ResponseChannel.choices,
        "sample_choices": SampleKind.choices,
        "week_choices": WEEKS,
    }


def _reader(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # LoginRequiredMiddleware lets nobody else through
    return user

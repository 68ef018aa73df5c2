"""Head office's pages of figures. Each starts from the places its reader may see; every choice is in the address."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from reports.asking import asking_of
from reports.causes import causes_of
from reports.cells import Cells, View, leaves_of, read_cells, view_of
from reports.change import MOST_STORES_BESIDE, Made, made_of, split_source
from reports.charts import place_charts, week_chart
from reports.comparing import BEFORE, GROUP, YEAR, comparison_of, read_choice
from reports.explorer import newest
from reports.figures import ANY_WAY, Source
from reports.filters import WEEKS, Filters, Scope, node_options, read_filters, scope_of, selected_stores
from reports.lattice import Place, store_place
from reports.league import MOST_STORES as MOST_LEAGUE_STORES
from reports.league import league_of, recovery_of
from reports.linking import words_behind
from reports.overview import MOST_TABLED, compare_all, overview, resolve, stores_below
from reports.periods import Period, Week, latest_day
from reports.ranking import ranking_of
from reports.statistics import MIN_RANKED, MIN_SHOWN
from reports.stretches import Stretch
from reports.topics import topics_of
from stores.choices import Role, StoreKind
from stores.models import Node, Store, User
from stores.queries import roles_of
from stores.sorting import folded
from surveys.choices import ResponseChannel, SampleKind
from surveys.editor.trends import breaks_between

# More stores than this are chosen from the ranking, or by region first.
_LONGEST_LIST = 300
_LONGEST_SEARCH = 80


@dataclass(frozen=True)
class Reading:
    """What every page begins with: who reads what, of which weeks."""

    scope: Scope
    filters: Filters
    stores: QuerySet[Store]
    period: Period
    has_calls: bool = False
    # The running one, where the period ended before it.
    this_week: Week | None = None

    @property
    def place(self) -> Node | Store | None:
        """What was chosen of the scope; None where that is all of it."""
        return self.filters.store or self.filters.node

    @property
    def week(self) -> Week:
        """The running one."""
        return self.this_week or self.period.last


def read(request: HttpRequest, this_week: Week | None = None) -> Reading:
    """What is asked for, also as it was read in another week. Raises Http404 for who reads no reports, and for places
    outside their scope."""
    scope = scope_of(_reader(request))
    found = set(scope.stores.order_by().values_list("time_zone", "kind").distinct())
    week = this_week or Week.of(latest_day(zone for zone, _kind in found))
    filters = read_filters(request, scope, week)
    stores = selected_stores(scope, filters)
    has_calls = any(kind == StoreKind.CALL_CENTRE for _zone, kind in found)
    return Reading(scope, filters, stores, Period(filters.until or week, filters.weeks), has_calls, week)


def leaves(reading: Reading, *, by_week: bool) -> list[Stretch]:
    """By which stretches a page counts."""
    return leaves_of(reading.filters.weeks, by_week=by_week, back=reading.filters.back)


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """`/reports/`: how the chosen places do, how sure that is, and what changed more than chance."""
    reading = read(request)
    view = view_of(reading.scope, reading.filters)
    cells = read_cells(view, reading.week, leaves(reading, by_week=True))
    found = overview(view, cells, reading.filters, reading.period)
    kinds = dict(reading.stores.order_by().values_list("kind").annotate(n=Count("pk")))
    beside = sum(kinds.values()) <= MOST_STORES_BESIDE
    made = None
    if found.source:
        split = split_source(found.source, reading.filters)
        deep = cells_of_stores(reading, cells, split) if beside else None
        made = made_of(deep, split, reading.filters) if deep else None
        compare_all(
            found,
            stores_below(deep, found.source, reading.filters) if deep else [],
            topics_of(cells, found.source, reading.filters).all,
        )
    context = {
        **frame(reading, view, "reports"),
        "overview": found,
        "loop_words": words_behind(reading.filters),
        "chart": week_chart(found.points),
        "row_charts": place_charts(found.rows),
        "places_tabled": len(found.rows) <= MOST_TABLED,
        "breaks": breaks_between(reading.period.start, reading.period.end),
        "shop_count": kinds.get(StoreKind.SHOP, 0),
        "call_centre_count": kinds.get(StoreKind.CALL_CENTRE, 0),
        "made": made,
        "made_apart": not beside,
        "verbatims": newest(reading.filters, reading.stores, reading.period.last),
        "store_choices": _store_choices(reading),
    }
    return render(request, "reports/overview.html", context)


@require_safe
def change(request: HttpRequest) -> HttpResponse:
    """`/reports/change/`: what the change is made of, and the score weighted by purchases."""
    reading = read(request)
    view = view_of(reading.scope, reading.filters)
    cells = read_cells(view, reading.week, leaves(reading, by_week=False))
    source, _chosen = resolve(cells, reading.filters, reading.filters.now)
    context = {**frame(reading, view, "report_change"), "made": made_change(reading, cells, source)}
    return render(request, "reports/change.html", context)


def made_change(reading: Reading, cells: Cells, source: Source | None) -> Made | None:
    """What the change of this way of asking, and others like it, is made of; `cells` tell which there are."""
    if source is None:
        return None
    split = split_source(source, reading.filters)
    return made_of(cells_of_stores(reading, cells, split), split, reading.filters)


@require_safe
def stores(request: HttpRequest) -> HttpResponse:
    """`/reports/stores/`: every store in one ranking, with what is known of its place in it."""
    reading = read(request)
    filters = reading.filters
    view = view_of(reading.scope, filters)
    cells = read_cells(view, reading.week, leaves(reading, by_week=False))
    source, _chosen = resolve(cells, filters, filters.now)
    q = " ".join(request.GET.get("q", "").split())[:_LONGEST_SEARCH]
    moved_only = request.GET.get("moved") == "1"
    page = request.GET.get("page", "1")
    ranking = None
    if source:
        ranking = ranking_of(
            cells_of_stores(reading, cells, source),
            source,
            filters,
            wanted=_sought(reading.stores, q) if q else None,
            moved_only=moved_only,
            page=int(page) if page.isdecimal() and len(page) < 6 else 1,
        )
    more = urlencode([(key, value) for key, value in (("q", q), ("moved", "1" if moved_only else "")) if value])
    address = "&".join(part for part in (filters.query().removeprefix("?"), more) if part)
    context = {
        **frame(reading, view, "report_stores"),
        "ranking": ranking,
        "source": source,
        "q": q,
        "moved_only": moved_only,
        "address": f"?{address}&" if address else "?",
        **_other_weeks(reading, lambda until: "&".join(part for part in (filters.but(until=until), more) if part)),
        "plain_address": filters.query(),
        "sum_of_ways": source is not None and source not in cells.sources(filters.now),
    }
    return render(request, "reports/stores.html", context)


def _sought(stores: QuerySet[Store], q: str) -> list[Place]:
    found = stores.all()
    for word in folded(q).split():
        found = found.filter(search_text__contains=word)
    return [store_place(pk) for pk in found.values_list("pk", flat=True)]


@require_safe
def topics(request: HttpRequest) -> HttpResponse:
    """`/reports/topics/`: what shoppers speak of, in which tone, and what it costs in points."""
    reading = read(request)
    view = view_of(reading.scope, reading.filters)
    cells = read_cells(view, reading.week, leaves(reading, by_week=False))
    source, _chosen = resolve(cells, reading.filters, reading.filters.now)
    context = {
        **frame(reading, view, "report_topics"),
        "found": topics_of(cells, source, reading.filters) if source else None,
        "store_choices": _store_choices(reading),
    }
    return render(request, "reports/topics.html", context)


@require_safe
def loop(request: HttpRequest) -> HttpResponse:
    """`/reports/loop/`: who closes the loop in time, what shoppers say of it, and how their scores recover."""
    reading = read(request)
    few = reading.stores.count() <= MOST_LEAGUE_STORES
    view = view_of(reading.scope, reading.filters, deep=few)
    cells = read_cells(view, reading.week, leaves(reading, by_week=False))
    league = league_of(cells, reading.filters, reading.period, reading.stores, of_stores=few)
    context = {
        **frame(reading, view, "report_loop"),
        "league": league,
        "league_groups": [("", league.ranked), (gettext("Too few to rank, by number of cases"), league.few)],
        "of_stores": few,
        "recovery": recovery_of(cells, reading.filters, reading.stores),
        "causes": causes_of(reading.stores, reading.filters, reading.period),
        "store_choices": _store_choices(reading),
        "all_ways": True,
    }
    return render(request, "reports/loop.html", context)


@require_safe
def asking(request: HttpRequest) -> HttpResponse:
    """`/reports/asking/`: from scan and invitation to answer."""
    reading = read(request)
    view = view_of(reading.scope, reading.filters)
    context = {
        **frame(reading, view, "report_asking"),
        "asking": asking_of(view, reading.stores, reading.filters, reading.period, reading.week),
        "store_choices": _store_choices(reading),
        "all_ways": True,
        "may_see_who": Role.HEAD_OFFICE in roles_of(_reader(request)),
    }
    return render(request, "reports/asking.html", context)


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """`/reports/compare/`: two groups beside each other, and which differences are more than chance."""
    reading = read(request)
    choice = read_choice(request, reading.scope, reading.filters, reading.week)
    view = view_of(reading.scope, reading.filters)
    context = {
        **frame(reading, view, "report_compare"),
        "choice": choice,
        "is_odd": choice.is_odd,
        **_other_weeks(reading, lambda until: choice.until(until).query()),
        "comparison": comparison_of(reading.scope, choice, reading.week),
        "against_choices": [
            (BEFORE, gettext("the weeks before"), choice.but(BEFORE)),
            (YEAR, gettext("the same weeks a year ago"), choice.but(YEAR)),
            (GROUP, gettext("another group"), choice.but(GROUP)),
        ],
        "is_group": choice.against == GROUP,
        "store_choices": _store_choices(reading),
    }
    return render(request, "reports/compare.html", context)


def cells_of_stores(reading: Reading, cells: Cells, source: Source) -> Cells:
    """The NPS of every store under the viewed places by itself; `cells` tell which ways of asking there are, and are
    that already where all stores are right below."""
    if cells.view.ends_here:
        return cells
    view = view_of(reading.scope, reading.filters, deep=True)
    return read_cells(
        view, reading.week, leaves(reading, by_week=False), only=[one for one in cells.nps if source.covers(one)]
    )


# --- what all pages have --------------------------------------------------------------------------------------------
def frame(reading: Reading, view: View, page: str) -> dict[str, Any]:
    """What the templates of all pages of figures are given."""
    filters = reading.filters
    only = _only_store(view)
    return {
        "page": page,
        "tabs": tabs_of(page, has_calls=reading.has_calls),
        "crumbs": _crumbs(reading, view, page),
        "title": _title(view, filters),
        "filters": filters,
        "is_odd": filters.is_odd,
        "period": reading.period,
        "only_store": only,
        "min_ranked": MIN_RANKED,
        "min_shown": MIN_SHOWN,
        "node_choices": node_options(reading.scope),
        "channel_choices": ResponseChannel.choices,
        "sample_choices": SampleKind.choices,
        "week_choices": WEEKS,
        "words": words_behind(filters),
        **_other_weeks(reading, lambda until: filters.but(until=until)),
        "all_words": (all_words := words_behind(filters, source=ANY_WAY)),
        "loop_words": all_words,
        "begin_at": _begin_at(view),
    }


def _other_weeks(reading: Reading, address: Callable[[Week | None], str]) -> dict[str, str]:
    """Where the same stands for as many weeks before and after, for the latest ones, and for these ones for good;
    `address` is that of the page up to a week, None for the latest. `later` and `unpinned` are empty where these are
    the latest; `earlier` leads on before the first answer, too."""
    first, last, is_past = reading.period.first, reading.period.last, reading.filters.until is not None
    following = last + reading.period.weeks
    return {
        "earlier": address(first + -1),
        "later": address(following) if is_past and following < reading.week else "",
        "pinned": address(last),
        "unpinned": address(None) if is_past else "",
    }


def _begin_at(view: View) -> tuple[str, str] | None:
    """Where an action that begins on this page is about, as a form names it; None where it shows several places."""
    if len(view.places) != 1:
        return None
    here = view.named(view.places[0])
    return ("store", here.code) if isinstance(here, Store) else ("node", str(here.pk))


def tabs_of(page: str, *, has_calls: bool) -> list[tuple[str, str, bool]]:
    """The pages of figures by name, each with its label and whether it is `page`; `has_calls`: whether the reader sees
    a call centre."""
    names = {
        "reports": gettext("Overview"),
        "report_stores": gettext("Stores"),
        **({"report_calls": gettext("Calls")} if has_calls else {}),
        "report_topics": gettext("Topics"),
        "report_loop": gettext("Closed loop"),
        "report_asking": gettext("Asking"),
        "report_compare": gettext("Compare"),
        "actions": gettext("Actions"),
    }
    return [(name, label, name == page) for name, label in names.items()]


def _title(view: View, filters: Filters) -> str:
    if filters.store:
        return filters.store.name
    if len(view.places) == 1:
        return view.named(view.places[0]).name
    return gettext("Reports")


def _only_store(view: View) -> Store | None:
    if len(view.places) == 1 and view.places[0].kind == "store":
        return view.store(view.places[0].pk)
    return None


def _crumbs(reading: Reading, view: View, page: str) -> list[tuple[str, str]]:
    """The places above the viewed one that its reader may see, from the top: their names and the same page there."""
    if len(view.places) != 1:
        return []
    here = view.named(view.places[0])
    node = here if isinstance(here, Node) else view.nodes[here.node_id]
    above = [pk for pk in node.above if pk != here.pk or isinstance(here, Store)]
    seen = {one.pk: one for one in reading.scope.nodes.filter(pk__in=above)}
    return [(seen[pk].name, reading.filters.but(node=seen[pk], store=None)) for pk in above if pk in seen]


def _store_choices(reading: Reading) -> list[Store]:
    if reading.scope.stores.count() <= _LONGEST_LIST:
        return list(reading.scope.stores.order_by("sort_key").only("code", "name"))
    return [reading.filters.store] if reading.filters.store else []


def _reader(request: HttpRequest) -> User:
    user = request.user
    assert isinstance(user, User)  # LoginRequiredMiddleware lets nobody else through
    return user

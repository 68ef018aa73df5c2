"""All stores in one ranking, by what their scores are likely to be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reports.cells import Cells
from reports.figures import Figure, Source
from reports.filters import Filters
from reports.lattice import Place
from reports.linking import nps_words
from reports.overview import with_change
from reports.statistics import MIN_RANKED, NO_ANSWERS, Estimate, moved_groups, ranked
from stores.models import Store

PER_PAGE = 50


@dataclass(frozen=True)
class RankedStore:
    """A store and its figure; `estimate`, with its places, only if it has enough answers to be ranked."""

    store: Store
    figure: Figure
    estimate: Estimate | None
    group: str
    query: str
    words: str


@dataclass(frozen=True)
class Ranking:
    """A page of it: of all stores `ranked` have a place and `moved` have changed."""

    rows: list[RankedStore]
    ranked: int
    moved: int
    page: int
    pages: int


def ranking_of(
    cells: Cells,
    source: Source,
    filters: Filters,
    *,
    wanted: Sequence[Place] | None,
    moved_only: bool,
    page: int,
    per_page: int = PER_PAGE,
) -> Ranking:
    """The page of the ranking; `wanted` leaves some of the stores, each with the place it has among all."""
    now, ago = filters.now, filters.ago
    view = cells.view
    stores = list(dict.fromkeys(store for place in view.places for store in view.under(place)))
    sums, old = cells.shown_sums(source, now), cells.shown_sums(source, ago)
    shown = {store: sums[store] for store in stores if store in sums}
    standing = moved_groups([*shown.values()], [old.get(store, NO_ANSWERS) for store in shown])
    moved = {store for store, stands in zip(shown, standing, strict=True) if stands}
    able = [store for store, nps in shown.items() if nps.n >= MIN_RANKED]
    estimates = dict(zip(able, ranked([shown[store] for store in able]), strict=True))
    answered = cells.answered(source, now)
    chosen = stores if wanted is None else [store for store in wanted if store.pk in view.order]
    if moved_only:
        chosen = [store for store in chosen if store in moved]

    def group(store: Place) -> int:
        if store in estimates:
            return 0
        if store in shown:
            return 1
        return 2 if store in answered or cells.figure([store], source, now).hidden else 3

    # By name first: of equals that order stays.
    chosen = sorted(chosen, key=lambda store: view.order[store.pk])
    first = sorted((store for store in chosen if store in estimates), key=lambda store: -estimates[store].score)
    chosen = first + sorted((store for store in chosen if store not in estimates), key=group)
    pages = max(1, -(-len(chosen) // per_page))
    page = min(max(1, page), pages)
    on_page = chosen[(page - 1) * per_page : page * per_page]
    view.load(store.pk for store in on_page)
    rows = [
        RankedStore(
            store=view.store(store.pk),
            figure=replace(with_change(cells, [store], source, now, ago), moved=store in moved),
            estimate=estimates.get(store),
            group=("", "few", "hidden", "silent")[group(store)],
            query=filters.but(store=view.store(store.pk), node=None),
            words=nps_words(filters, source=source, place=view.store(store.pk)),
        )
        for store in on_page
    ]
    return Ranking(rows, len(able), len(moved), page, pages)

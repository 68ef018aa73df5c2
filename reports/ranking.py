"""All stores in one ranking, by what their scores are likely to be."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.cells import Cells
from reports.figures import Figure, Source
from reports.filters import Filters
from reports.lattice import Place
from reports.linking import words_behind
from reports.overview import judged, with_change
from reports.statistics import Estimate, ranked
from reports.stretches import before, latest
from stores.models import Store

PER_PAGE = 50


@dataclass(frozen=True)
class RankedStore:
    """A store and its figure; `estimate` and `place` only if it has enough answers to be ranked."""

    store: Store
    figure: Figure
    estimate: Estimate | None
    place: int
    group: str
    query: str
    words: str


@dataclass(frozen=True)
class Ranking:
    """A page of it: `total` stores were found; of all stores `ranked` have a place."""

    rows: list[RankedStore]
    total: int
    ranked: int
    moved: int
    page: int
    pages: int


def ranking_of(
    cells: Cells, source: Source, filters: Filters, *, wanted: Sequence[Place] | None, moved_only: bool, page: int
) -> Ranking:
    """The page of the ranking; `wanted` leaves some of the stores, each with the place it has among all."""
    now, ago = latest(filters.weeks), before(filters.weeks)
    stores = list(dict.fromkeys(store for place in cells.view.places for store in cells.view.under(place)))
    figures = dict(zip(stores, judged(with_change(cells, [store], source, now, ago) for store in stores), strict=True))
    able = [store for store in stores if figures[store].ranked]
    estimates = dict(zip(able, ranked([figures[store].nps for store in able]), strict=True))
    able.sort(key=lambda store: -estimates[store].score)
    places = {store: number for number, store in enumerate(able, 1)}
    chosen = stores if wanted is None else [store for store in wanted if store in figures]
    if moved_only:
        chosen = [store for store in chosen if figures[store].moved]
    named = cells.view.stores
    order = sorted(
        chosen,
        key=lambda store: (
            _group(figures[store]),
            places.get(store, 0),
            bytes(named[store.pk].sort_key),
        ),
    )
    pages = max(1, -(-len(order) // PER_PAGE))
    page = min(max(1, page), pages)
    rows = [
        RankedStore(
            store=named[store.pk],
            figure=figures[store],
            estimate=estimates.get(store),
            place=places.get(store, 0),
            group=("", "few", "hidden", "silent")[_group(figures[store])],
            query=filters.but(store=named[store.pk], node=None),
            words=words_behind(filters, source=source, place=named[store.pk]),
        )
        for store in order[(page - 1) * PER_PAGE : page * PER_PAGE]
    ]
    moved = sum(figure.moved for figure in figures.values())
    return Ranking(rows, len(order), len(able), moved, page, pages)


def _group(figure: Figure) -> int:
    if figure.ranked:
        return 0
    if figure.shown:
        return 1
    return 2 if figure.nps.n else 3

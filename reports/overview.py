"""The figures of the page of reports, summed from cells."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import models
from django.db.models import F, Sum
from django.utils.translation import gettext

from reports.cells import WHOLES, Cells, View
from reports.explorer import WEEKS as EXPLORED
from reports.figures import (
    ANY_WAY,
    Answers,
    ClosedLoop,
    Figure,
    LoopShare,
    MixRow,
    Moved,
    Overview,
    PlaceRow,
    Point,
    Source,
    SourceCard,
)
from reports.filters import POOLED, Filters
from reports.lattice import Place
from reports.linking import at_place, nps_words, words_behind
from reports.models import NodeWeek, StoreWeek
from reports.periods import Days, Period
from reports.statistics import MIN_SHOWN, Difference, Share, moved_among, nps_difference
from reports.stretches import NEWEST, QUARTER, Stretch, chart_of, cover, mondays
from reports.topics import TopicRow
from stores.models import Node, Store
from surveys.choices import QuestionKind

_SCORES = tuple(f"score_{score}" for score in range(11))
# A sum may not bear the name of the column it sums.
_SUM = "sum_"
# A change, and what is told of it where it is more than chance.
Candidate = tuple[Difference, Callable[[], Moved]]
# Of more places the weeks stand in no table: the ranking has all of them.
MOST_TABLED = 60


def overview(view: View, cells: Cells, filters: Filters, period: Period) -> Overview:
    """Everything the page of reports shows about the viewed places but the words."""
    found = Overview()
    now, ago = filters.now, filters.ago
    rows = _own_rows(cells, now, ago)
    current = [row for row in rows if row["now"]]
    in_view = [row for row in current if chosen_source(filters).covers(_source_of(row))]
    found.responses = sum(row["responses"] for row in in_view)
    found.staff_responses = sum(row["staff_responses"] for row in in_view)
    found.size_hidden = not cells.tells_sizes(view.places, now, chosen_source(filters))
    found.answers = _answers(view, cells, in_view, filters, now)
    found.mix = _mix(cells, rows, filters, period, now, ago)
    found.loop = closed_loop(cells, view.places, now, chosen_source(filters))
    found.source, found.chosen = resolve(cells, filters, now)
    found.cards = _cards(view, cells, found.source, filters, now, ago)
    if len(found.cards) > 1:
        found.pooled_query = filters.but(channel="", sample=POOLED)
    if found.source:
        found.headline = with_change(cells, view.places, found.source, now, ago)
        found.headline_words = nps_words(filters, source=found.source)
        (line,), found.points_coarse = _lines(cells, [view.places], found.source, filters)
        found.points = [with_words(one, filters, found.source) for one in line]
        found.rows, found.rows_coarse = _rows(view, cells, found.source, filters, now, ago)
    return found


def compare_all(found: Overview, stores: Iterable[Candidate], topics: Iterable[TopicRow]) -> None:
    """Fills in what changed more than chance: of the places right below, of stores further below, and of topics."""
    places = [(row, row.figure.change) for row in found.rows if row.figure.change]
    spoken = [(row, row.change) for row in topics if row.change]
    candidates: list[Candidate] = [
        *((change, partial(Moved, row.name, change, row.query, figure=row.figure)) for row, change in places),
        *stores,
        *((change, partial(Moved, row.name, change, row.words, share=row.share)) for row, change in spoken),
    ]
    standing = moved_among([change for change, _tell in candidates])
    found.compared = len(candidates)
    found.moved = [tell() for (_change, tell), stands in zip(candidates, standing, strict=True) if stands]


def chosen_source(filters: Filters) -> Source:
    return Source(filters.channel, filters.sample)


def resolve(
    cells: Cells, filters: Filters, now: Collection[Stretch], places: list[Place] | None = None
) -> tuple[Source | None, bool]:
    """The way of asking that chart and table are about, and whether the reader chose it.

    Without a chosen sample it is the largest: samples of different kinds are added up only when asked for.
    """
    if filters.sample:
        return chosen_source(filters), True
    return next((one for one in cells.known_sources(now, places) if chosen_source(filters).covers(one)), None), False


def with_change(
    cells: Cells,
    places: list[Place],
    source: Source,
    now: Collection[Stretch],
    ago: Collection[Stretch],
) -> Figure:
    """The figure of these places and how far it is from the one before, if both may be shown."""
    figure, old = cells.figure(places, source, now), cells.figure(places, source, ago)
    if not figure.shown or not old.shown:
        return figure
    change = nps_difference(figure.nps, old.nps)
    return replace(figure, change=change, moved=bool(change and change.significant))


def judged(figures: Iterable[Figure]) -> list[Figure]:
    """The same figures; of their changes only those stand that are more than chance among all of them."""
    listed = list(figures)
    standing = moved_among([figure.change for figure in listed])
    return [replace(figure, moved=stands) for figure, stands in zip(listed, standing, strict=True)]


def points(cells: Cells, places: list[Place], source: Source, filters: Filters, *, coarse: bool = False) -> list[Point]:
    """The chart of the weeks, oldest first; `coarse`: four to five of them in a point, where single ones have too few
    answers.

    As long as the running week has few answers, the one before it is hidden beside it: then they stand there together,
    as the tree of stretches shows them.
    """
    wanted = chart_of(filters.weeks, back=filters.back, coarse=coarse)
    line = [point_of(cells, places, source, stretch) for stretch in wanted]
    if wanted[-1] == (0, 1) and not any(one.figure.shown for one in line[-2:]):
        both = point_of(cells, places, source, NEWEST)
        if both.figure.shown:
            line[-2:] = [replace(both, places=2)]
    return line


def point_of(cells: Cells, places: list[Place], source: Source, stretch: Stretch) -> Point:
    """One point of a chart."""
    first, end = stretch
    return Point(
        cells.this_week + (1 - end),
        cells.this_week + -first,
        cells.figure(places, source, cover(*stretch)),
        running=first == 0,
    )


def with_words(point: Point, filters: Filters, source: Source, place: Node | Store | None = None) -> Point:
    """The point with the words behind it, which are those of the filters' place where there is no other."""
    if point.weeks in EXPLORED:
        when: dict[str, Any] = {"until": point.last, "weeks": point.weeks}
    else:
        when = {"days": Days(point.first.monday, point.last.sunday)}
    return replace(point, words=nps_words(filters, source=source, place=place, **when))


def _cards(
    view: View,
    cells: Cells,
    current: Source | None,
    filters: Filters,
    now: Collection[Stretch],
    ago: Collection[Stretch],
) -> list[SourceCard]:
    order = cells.known_sources(now)
    figures = judged(with_change(cells, view.places, source, now, ago) for source in order)
    return [
        SourceCard(
            source=source,
            figure=figure,
            current=source == current,
            query=filters.but(channel=source.channel, sample=source.sample),
            words=nps_words(filters, source=source),
        )
        for source, figure in zip(order, figures, strict=True)
    ]


def _rows(
    view: View, cells: Cells, source: Source, filters: Filters, now: Collection[Stretch], ago: Collection[Stretch]
) -> tuple[list[PlaceRow], bool]:
    """The places right below in their order, and whether they are drawn by four or five weeks; those without answers
    have no part."""
    children = [place for place in view.children if place not in view.places or len(view.places) > 1]
    figures = judged(with_change(cells, [place], source, now, ago) for place in children)
    answered = [(place, figure) for place, figure in zip(children, figures, strict=True) if figure.nps.n]
    lines, coarse = _lines(cells, [[place] for place, _figure in answered], source, filters)
    rows = [
        PlaceRow(
            name=view.named(place).name,
            figure=figure,
            points=[
                with_words(one, filters, source, view.named(place)) if len(children) <= MOST_TABLED else one
                for one in line
            ],
            query=at_place(filters, place, view.named(place)),
            words=nps_words(filters, source=source, place=view.named(place)),
        )
        for (place, figure), line in zip(answered, lines, strict=True)
    ]
    return rows, coarse


def _lines(
    cells: Cells, charted: list[list[Place]], source: Source, filters: Filters
) -> tuple[list[list[Point]], bool]:
    """The charts of some places, and whether they are by four or five weeks a point: they are where that tells of more
    than twice the answers."""
    lines = [points(cells, places, source, filters) for places in charted]
    # Parts of the tree of stretches are four to five weeks only up to this one, or thirteen, twenty-six … weeks ago.
    if filters.weeks == QUARTER and filters.back % QUARTER == 0:
        coarse = [points(cells, places, source, filters, coarse=True) for places in charted]
        if _told(coarse) > 2 * _told(lines):
            return coarse, True
    return lines, False


def _told(lines: Iterable[Sequence[Point]]) -> int:
    """Of how many answers these charts tell."""
    return sum(one.figure.nps.n for line in lines for one in line if one.figure.shown)


def stores_below(cells: Cells, source: Source, filters: Filters) -> list[Candidate]:
    """The changes of the stores further below than the places right below."""
    now, ago = filters.now, filters.ago
    stores = {store for place in cells.view.places for store in cells.view.under(place)} - set(cells.view.children)
    sums, old = cells.shown_sums(source, now), cells.shown_sums(source, ago)

    def tell(store: Place, change: Difference) -> Moved:
        named = cells.view.named(store)
        figure = with_change(cells, [store], source, now, ago)
        return Moved(named.name, change, at_place(filters, store, named), figure=figure)

    return [
        (change, partial(tell, store, change))
        for store in sorted(stores - set(cells.view.places))
        if store in sums and store in old and (change := nps_difference(sums[store], old[store]))
    ]


def _own_rows(cells: Cells, now: Sequence[Stretch], ago: Sequence[Stretch]) -> list[dict[str, Any]]:
    """Everything counted of the viewed places, now and before, by question and way of asking; `part` is the number of
    its stretch, those of `now` first."""
    spans = [mondays(stretch, cells.this_week) for stretch in [*now, *ago]]
    parts = [models.When(monday__range=span, then=number) for number, span in enumerate(spans)]
    around = min(first for first, _ in spans), max(last for _, last in spans)
    found: list[dict[str, Any]] = []
    for model, owner, kind in ((NodeWeek, "node", "node"), (StoreWeek, "store", "store")):
        places = [place.pk for place in cells.view.places if place.kind == kind]
        if not places:
            continue
        scores = {name: Sum(F(f"score_counts__{score}")) for score, name in enumerate(_SCORES)}
        rows = (
            model._default_manager.filter(**{f"{owner}__in": places}, monday__range=around)
            .annotate(part=models.Case(*parts, output_field=models.SmallIntegerField()))
            .values("part", "headline_kind", "channel", "sample_kind")
            .annotate(
                **{_SUM + name: Sum(name) for name in ("responses", "staff_responses")},
                **scores,
            )
        )
        found += [{name.removeprefix(_SUM): value for name, value in row.items()} for row in rows]
    return [row | {"now": row["part"] < len(now)} for row in found]


def _source_of(row: Mapping[str, Any]) -> Source:
    return Source(row["channel"], row["sample_kind"])


def _answers(
    view: View,
    cells: Cells,
    rows: Iterable[Mapping[str, Any]],
    filters: Filters,
    now: Sequence[Stretch],
) -> list[Answers]:
    counts: dict[tuple[str, Source], list[int]] = defaultdict(lambda: [0] * 11)
    reaches = {
        key: cells.reach_of_scores(*key, view.places, now)
        for key in sorted(cells.scored)
        if chosen_source(filters).covers(key[1])
    }
    for row in rows:
        key = (row["headline_kind"], _source_of(row))
        if key in reaches:
            told = reaches[key].told
            if not told or (key[1], now[row["part"]]) in told:
                counts[key] = [old + row[name] for old, name in zip(counts[key], _SCORES, strict=True)]
    found = []
    for (kind, source), reach in reaches.items():
        one = Answers(
            kind=kind,
            source=source,
            scores=tuple(counts[kind, source]),
            hidden=not reach.told,
            words=words_behind(filters, source=source, question=kind),
            size_hidden=reach.hides_size,
            reach=reach,
        )
        if one.n or one.size_hidden:
            found.append(one)
    return sorted(found, key=lambda one: (list(QuestionKind).index(QuestionKind(one.kind)), -one.n, one.source))


def _mix(
    cells: Cells,
    rows: Iterable[Mapping[str, Any]],
    filters: Filters,
    period: Period,
    now: Collection[Stretch],
    ago: Collection[Stretch],
) -> list[MixRow]:
    """Answers by way of asking, whatever was asked: shares of all of them, where all of them may be shown, and how many
    came by each way that tells it."""
    places = cells.view.places
    hidden, hidden_before = (
        not (cells.tells_sizes(places, part) and cells.shows(cells.every_lattice(), places, part))
        for part in (now, ago)
    )
    sums: dict[bool, dict[Source, int]] = {True: defaultdict(int), False: defaultdict(int)}
    for row in rows:
        sums[row["now"]][_source_of(row)] += row["responses"]
    whole, old_whole = sum(sums[True].values()), sum(sums[False].values())
    known = {*cells.nps, *(source for _, source in cells.scored), *sums[True]}
    told = {source for source in known if cells.tells_sizes(places, now, source)}
    order = sorted(known, key=lambda source: (-sums[True][source], source))
    return [
        MixRow(
            source,
            Share(sums[True][source], whole),
            Share(sums[False].get(source, 0), old_whole),
            words_behind(filters, source=source),
            words_behind(filters, source=source, until=period.first + -1),
            hidden,
            hidden_before,
            size_hidden=source not in told,
            whole_hidden=known != told,
        )
        for source in order
        if sums[True][source] or source not in told
    ]


def closed_loop(
    cells: Cells, places: list[Place], stretches: Collection[Stretch], source: Source = ANY_WAY
) -> ClosedLoop:
    """What became of the cases of these places, of those whose shoppers were asked in one of these ways."""
    whole_sums = cells.cases_of(places, stretches, source)
    reaches = {whole: cells.reach_of_cases(whole, places, stretches, source) for whole in WHOLES}
    # Of a long period the weeks in which such cases may be shown; of one in which none may, what is hidden.
    by_whole = {
        whole: cells.cases_of(places, [part for _, part in reach.told], source) if reach.told else dict(whole_sums)
        for whole, reach in reaches.items()
    }
    for sums in by_whole.values():
        sums["untried"] = sums["contactable"] - sums["reached"] - sums["attempted"]

    def share(key: str, name: str, whole: str) -> LoopShare:
        sums, reach = by_whole[whole], reaches[whole]
        suppressed = whole_sums[whole] >= MIN_SHOWN and not reach.told
        return LoopShare(key, whole, name, Share(sums[key], sums[whole]), suppressed, reach.hides_size, reach)

    return ClosedLoop(
        contactable=[
            share("reached", gettext("Reached"), "contactable"),
            share("attempted", gettext("Tried, not reached"), "contactable"),
            share("untried", gettext("Not tried"), "contactable"),
        ],
        fix_only=[share("acted", gettext("Action recorded"), "fix_only")],
        outcomes=[
            share("confirmed", gettext("Confirmed by the shopper"), "asked"),
            share("reopened", gettext("Reopened at least once"), "asked"),
            share("unconfirmed", gettext("No word from the shopper"), "asked"),
        ],
        running=whole_sums["running"],
        source=source,
    )

"""The figures of the page of reports, summed from cells."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncWeek
from django.utils.translation import gettext

from reports.figures import (
    NO_ANSWERS,
    ClosedLoop,
    Figure,
    LoopShare,
    Overview,
    Smileys,
    Source,
    SourceCard,
    StoreRow,
    WeekFigure,
)
from reports.filters import POOLED, Filters
from reports.models import StoreDay
from reports.periods import Period
from reports.statistics import (
    MIN_SHOWN,
    Nps,
    Share,
    gives_away,
    hidden_among,
    nps_difference,
    significant_among,
)
from stores.models import Store
from surveys.choices import STAFF_FLAG, QuestionKind
from surveys.models import Verbatim

_BANDS = ("promoters", "passives", "detractors")
_SMILEYS = tuple(f"smileys_{face}" for face in range(1, 6))
_CLOCK = ("contactable", "reached", "attempted", "fix_only", "acted", "running")
_LOOP = (*_CLOCK, "asked", "confirmed", "reopened", "unconfirmed")
# What shares of the loop are shares of.
_WHOLES = ("contactable", "fix_only", "asked")
# A sum may not bear the name of the column it sums.
_SUM = "sum_"
_COUNTS = (*_BANDS, "responses", "staff_responses", *_LOOP)


def overview(stores: list[Store], siblings: list[Store], filters: Filters, period: Period) -> Overview:
    """Everything the page of reports shows about `stores` but the words.

    `siblings` are the stores in scope beside which these could be subtracted: those of the same nodes.
    """
    weekly = _weekly_sums(stores, period)
    found = Overview(period=period)
    now = [row for row in weekly if row["week"] >= period.start]
    in_view = [row for row in now if _chosen(filters).covers(_source_of(row))]
    found.responses = sum(row["responses"] for row in in_view)
    found.staff_responses = sum(row["staff_responses"] for row in in_view)
    found.smileys = _smileys(in_view)
    per_store = _store_sums(siblings, period)
    hidden_cases = {name: _hidden_cases(siblings, per_store, _chosen(filters), name) for name in _WHOLES}
    alone = stores[0].pk if len(stores) == 1 else None
    found.loop = _closed_loop(in_view, {name for name, hidden in hidden_cases.items() if alone in hidden})

    nps_now = _by_source(row for row in now if row["headline_kind"] == QuestionKind.NPS)
    nps_before = _by_source(
        row for row in weekly if row["week"] < period.start and row["headline_kind"] == QuestionKind.NPS
    )
    found.source, found.chosen = _resolve(filters, nps_now)
    shown = {*nps_now, *([found.source] if found.source else [])}
    suppressed = _suppressed_alone(stores, siblings, per_store, shown)
    found.cards = _cards(nps_now, nps_before, found.source, suppressed, filters)
    if len(found.cards) > 1:
        found.pooled_query = filters.but(channel="", sample=POOLED)
    if found.source:
        parts = [nps.n for source, nps in nps_now.items() if found.source.covers(source)]
        found.headline = _figure(
            _sum(nps_now, found.source),
            _sum(nps_before, found.source),
            hidden=found.source in suppressed or gives_away(parts),
        )
        found.weeks = _weeks(now, period, found.source, hidden=found.source in suppressed)
        hidden_stores = _hidden_stores(siblings, per_store, found.source)
        _fill_store_rows(found, stores, per_store, filters, hidden_stores, hidden_cases["contactable"])
    return found


def _weekly_sums(stores: Iterable[Store], period: Period) -> list[dict[str, Any]]:
    """Sums of this period and the one before it, by week, question and source."""
    cells = StoreDay.objects.filter(store__in=[s.pk for s in stores], local_day__range=(period.before, period.end))
    sums = {_SUM + name: Sum(name) for name in _COUNTS}
    faces = {_SUM + name: Sum(F(f"score_counts__{face}")) for face, name in enumerate(_SMILEYS, start=1)}
    rows = (
        cells.annotate(week=TruncWeek("local_day"))
        .values("week", "headline_kind", "channel", "sample_kind")
        .annotate(**sums, **faces)
        .order_by("week")
    )
    return [_without_prefix(row) for row in rows]


def _store_sums(stores: Iterable[Store], period: Period) -> dict[tuple[int, Source], dict[str, int]]:
    """NPS counts of this period and the one before, and how fast shoppers were reached, by store and source."""
    this, last = Q(local_day__gte=period.start), Q(local_day__lt=period.start)
    cells = StoreDay.objects.filter(store__in=[s.pk for s in stores], local_day__range=(period.before, period.end))
    rows = cells.values("store_id", "channel", "sample_kind").annotate(
        **{_SUM + name: Sum(name, filter=this, default=0) for name in (*_BANDS, *_WHOLES, "reached")},
        **{f"{_SUM}{name}_before": Sum(name, filter=last, default=0) for name in _BANDS},
    )
    return {(row["store_id"], _source_of(row)): _without_prefix(row) for row in rows}


def _without_prefix(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(_SUM): value for name, value in row.items()}


def _source_of(row: Mapping[str, Any]) -> Source:
    return Source(row["channel"], row["sample_kind"])


def _nps(row: Mapping[str, int], suffix: str = "") -> Nps:
    return Nps(*(row[band + suffix] for band in _BANDS))


def _by_source(rows: Iterable[Mapping[str, Any]]) -> dict[Source, Nps]:
    found: dict[Source, Nps] = defaultdict(lambda: NO_ANSWERS)
    for row in rows:
        found[_source_of(row)] += _nps(row)
    return {source: nps for source, nps in found.items() if nps.n}


def _sum(by_source: Mapping[Source, Nps], wanted: Source) -> Nps:
    return sum((nps for source, nps in by_source.items() if wanted.covers(source)), NO_ANSWERS)


def _chosen(filters: Filters) -> Source:
    return Source(filters.channel, filters.sample)


def _resolve(filters: Filters, nps: Mapping[Source, Nps]) -> tuple[Source | None, bool]:
    """The source that chart and table are about, and whether the reader chose it.

    Without a chosen sample it is the largest: samples of different kinds are added up only when asked for.
    """
    if filters.sample:
        return _chosen(filters), True
    candidates = {source: one.n for source, one in nps.items() if _chosen(filters).covers(source)}
    largest = max(candidates, key=lambda source: (candidates[source], source), default=None)
    return largest, False


def _suppressed_alone(
    stores: list[Store],
    siblings: list[Store],
    per_store: Mapping[tuple[int, Source], Mapping[str, int]],
    sources: set[Source],
) -> set[Source]:
    """The sources whose figure must be hidden because it is that of one store, and gives away a neighbour's."""
    if len(stores) != 1:
        return set()
    return {source for source in sources if stores[0].pk in _hidden_stores(siblings, per_store, source)}


def _store_nps(
    per_store: Mapping[tuple[int, Source], Mapping[str, int]], store_id: int, source: Source, suffix: str = ""
) -> Nps:
    parts = (_nps(row, suffix) for (pk, of), row in per_store.items() if pk == store_id and source.covers(of))
    return sum(parts, NO_ANSWERS)


def _hidden_stores(
    siblings: Iterable[Store], per_store: Mapping[tuple[int, Source], Mapping[str, int]], source: Source
) -> set[int]:
    """The stores whose score must be hidden beside those of their node, and beside their own other samples."""
    parts: dict[int, list[int]] = defaultdict(list)
    for (pk, of), row in per_store.items():
        if source.covers(of):
            parts[pk].append(_nps(row).n)
    telling = {pk for pk, sizes in parts.items() if gives_away(sizes)}
    return _hidden_beside(siblings, {pk: sum(sizes) for pk, sizes in parts.items()}, telling)


def _hidden_cases(
    siblings: Iterable[Store],
    per_store: Mapping[tuple[int, Source], Mapping[str, int]],
    chosen: Source,
    name: str,
) -> set[int]:
    """The stores whose share of their cases must be hidden beside those of their node."""
    sizes: dict[int, int] = defaultdict(int)
    for (pk, of), row in per_store.items():
        if chosen.covers(of):
            sizes[pk] += row[name]
    return _hidden_beside(siblings, sizes)


def _hidden_beside(siblings: Iterable[Store], sizes: Mapping[int, int], also: Collection[int] = ()) -> set[int]:
    of_nodes: dict[int, dict[int, int]] = defaultdict(dict)
    for store in siblings:
        of_nodes[store.node_id][store.pk] = sizes.get(store.pk, 0)
    return set().union(*(hidden_among(of_node, also) for of_node in of_nodes.values()))


def _figure(nps: Nps, before: Nps = NO_ANSWERS, *, hidden: bool = False, moved: bool | None = None) -> Figure:
    hidden = hidden or 0 < nps.n < MIN_SHOWN
    change = None if hidden or before.n < MIN_SHOWN else nps_difference(nps, before)
    significant = bool(change and change.significant)
    return Figure(nps, hidden, change, significant if moved is None else moved and significant)


def _moved(figures: list[tuple[Nps, Nps]]) -> list[bool]:
    """Which changes stand among all of them together; those without a comparison never do."""
    changes = [nps_difference(now, before) if before.n >= MIN_SHOWN else None for now, before in figures]
    standing = iter(significant_among([change.p for change in changes if change]))
    return [bool(change) and next(standing) for change in changes]


def _cards(
    now: Mapping[Source, Nps],
    before: Mapping[Source, Nps],
    current: Source | None,
    suppressed: set[Source],
    filters: Filters,
) -> list[SourceCard]:
    # No total stands beside them unless it is asked for, and then it is hidden where it would give one away.
    order = sorted(now, key=lambda source: (-now[source].n, source))
    moved = _moved([(now[source], before.get(source, NO_ANSWERS)) for source in order])
    return [
        SourceCard(
            source=source,
            figure=_figure(now[source], before.get(source, NO_ANSWERS), hidden=source in suppressed, moved=stands),
            current=source == current,
            query=filters.but(channel=source.channel, sample=source.sample),
        )
        for source, stands in zip(order, moved, strict=True)
    ]


def _weeks(rows: Iterable[Mapping[str, Any]], period: Period, source: Source, *, hidden: bool) -> list[WeekFigure]:
    by_week: dict[date, Nps] = defaultdict(lambda: NO_ANSWERS)
    parts: dict[date, list[int]] = defaultdict(list)
    for row in rows:
        if row["headline_kind"] == QuestionKind.NPS and source.covers(_source_of(row)):
            by_week[row["week"]] += _nps(row)
            parts[row["week"]].append(_nps(row).n)
    weeks = period.each_week()
    telling = {monday for monday, sizes in parts.items() if gives_away(sizes)}
    too_few = hidden_among({week.monday: by_week[week.monday].n for week in weeks}, telling)
    return [WeekFigure(week, _figure(by_week[week.monday], hidden=hidden or week.monday in too_few)) for week in weeks]


def _fill_store_rows(
    found: Overview,
    stores: list[Store],
    per_store: Mapping[tuple[int, Source], Mapping[str, int]],
    filters: Filters,
    hidden: set[int],
    hidden_reach: set[int],
) -> None:
    source = found.source
    if source is None:
        return
    rows_of: dict[int, list[tuple[Source, Mapping[str, int]]]] = defaultdict(list)
    for (pk, of), row in per_store.items():
        rows_of[pk].append((of, row))
    pairs = []
    for store in stores:
        covered = [row for of, row in rows_of[store.pk] if source.covers(of)]
        pairs.append((sum(map(_nps, covered), NO_ANSWERS), sum((_nps(row, "_before") for row in covered), NO_ANSWERS)))
    for store, (now, before), moved in zip(stores, pairs, _moved(pairs), strict=True):
        in_view = [row for of, row in rows_of[store.pk] if _chosen(filters).covers(of)]
        line = StoreRow(
            store=store,
            figure=_figure(now, before, hidden=store.pk in hidden, moved=moved),
            reached=Share(sum(r["reached"] for r in in_view), sum(r["contactable"] for r in in_view)),
            reached_hidden=store.pk in hidden_reach,
            query=filters.but(store=store, node=None),
        )
        if line.figure.ranked:
            found.ranked.append(line)
        elif line.figure.shown:
            found.few.append(line)
        else:
            (found.hidden if now.n else found.silent).append(line)
    found.ranked.sort(key=lambda line: -(line.figure.nps.score or 0))
    for group in (found.few, found.hidden, found.silent):
        group.sort(key=lambda line: bytes(line.store.sort_key))


def _smileys(rows: Iterable[Mapping[str, Any]]) -> list[Smileys]:
    counts: dict[Source, list[int]] = defaultdict(lambda: [0] * 5)
    for row in rows:
        if row["headline_kind"] == QuestionKind.SMILEY5:
            source = _source_of(row)
            counts[source] = [old + row[name] for old, name in zip(counts[source], _SMILEYS, strict=True)]
    found = [Smileys(source, tuple(of)) for source, of in counts.items() if any(of)]
    return sorted(found, key=lambda one: (-one.n, one.source))


def _closed_loop(rows: Iterable[Mapping[str, Any]], suppressed: set[str]) -> ClosedLoop:
    sums = dict.fromkeys(_LOOP, 0)
    for row in rows:
        for name in _LOOP:
            sums[name] += row[name]
    sums["untried"] = sums["contactable"] - sums["reached"] - sums["attempted"]

    def share(key: str, name: str, whole: str) -> LoopShare:
        return LoopShare(key, name, Share(sums[key], sums[whole]), whole in suppressed)

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
        running=sums["running"],
    )


def newest_verbatims(stores: Iterable[Store], filters: Filters, *, limit: int = 12) -> list[Verbatim]:
    """The shoppers' latest words in the chosen stores and sources, with what they were read as and their case."""
    found = (
        Verbatim.objects.filter(response__store__in=[s.pk for s in stores])
        .exclude(text="")
        .exclude(response__flags__contains=[STAFF_FLAG])
        .select_related("response__store", "response__opened_case", "analysis")
        .order_by("-response__submitted_at")
    )
    if filters.channel:
        found = found.filter(response__channel=filters.channel)
    if filters.sample and filters.sample != POOLED:
        found = found.filter(response__sample_kind=filters.sample)
    return list(found[:limit])

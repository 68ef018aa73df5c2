"""Two groups of answers beside each other: now and before, this year and last, or any two places and ways of asking."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.utils.translation import gettext

from reports.cells import Cells, leaves_of, places_of, read_cells, view_of
from reports.figures import Figure, LoopShare, Source
from reports.filters import POOLED, Filters, Scope, find_node, find_store
from reports.lattice import Place
from reports.linking import words_behind
from reports.overview import chosen_source, closed_loop
from reports.periods import Period, Week
from reports.statistics import Difference, moved_among, nps_difference, share_difference
from reports.stretches import Stretch, before, latest, year_ago
from surveys.choices import ResponseChannel, SampleKind

BEFORE, YEAR, GROUP = "before", "year", "group"
AGAINST = (BEFORE, YEAR, GROUP)
_STRETCHES = {BEFORE: before, YEAR: year_ago, GROUP: latest}


@dataclass(frozen=True)
class Choice:
    """The two sides: `filters` are those of the first, and but for what `against` says those of the second."""

    filters: Filters
    against: str
    other: Filters

    def sides(self, this_week: Week) -> list[tuple[Filters, Period]]:
        """Which answers each side is made of."""
        other = self.other if self.against == GROUP else self.filters
        return [
            (self.filters, _period(latest(self.filters.weeks), self.filters, this_week)),
            (other, _period(_STRETCHES[self.against](self.filters.weeks), self.filters, this_week)),
        ]

    def query(self) -> str:
        """The address of this comparison after the question mark."""
        chosen = {"against": self.against if self.against != BEFORE else ""}
        if self.against == GROUP:
            chosen |= {
                "node2": str(self.other.node.pk) if self.other.node else "",
                "store2": self.other.store.code if self.other.store else "",
                "channel2": self.other.channel,
                "sample2": self.other.sample,
            }
        more = urlencode({key: value for key, value in chosen.items() if value})
        own = self.filters.query().removeprefix("?")
        return "?" + "&".join(part for part in (own, more) if part)

    def but(self, against: str) -> str:
        """The address of another kind of comparison."""
        return replace(self, against=against).query()


@dataclass(frozen=True)
class Side:
    """What one side is called, where and when it is."""

    name: str
    places: list[Place]
    stretches: list[Stretch]
    period: str
    until: Week
    filters: Filters


@dataclass(frozen=True)
class NpsRow:
    name: str
    first: Figure
    second: Figure
    change: Difference | None
    stands: bool
    words: str
    other_words: str


@dataclass(frozen=True)
class ShareRow:
    name: str
    first: LoopShare
    second: LoopShare
    change: Difference | None
    stands: bool
    words: str
    other_words: str

    @property
    def both(self) -> tuple[tuple[LoopShare, str], tuple[LoopShare, str]]:
        """Each side's share, and where the words of its cases are."""
        return (self.first, self.words), (self.second, self.other_words)


@dataclass(frozen=True)
class Comparison:
    first: Side
    second: Side
    scores: list[NpsRow]
    shares: list[ShareRow]


def read_choice(request: HttpRequest, scope: Scope, filters: Filters) -> Choice:
    """Raises Http404 for places outside the scope; any other senseless value counts as not chosen."""
    chosen = request.GET
    against = chosen.get("against", "")
    node = store = None
    if code := chosen.get("store2", ""):
        store = find_store(scope.stores, code)
        if store is None:
            raise Http404
    elif number := chosen.get("node2", ""):
        node = find_node(scope.nodes, number)
        if node is None:
            raise Http404
    channel, sample = chosen.get("channel2", ""), chosen.get("sample2", "")
    other = Filters(
        node=node,
        store=store,
        channel=channel if channel in ResponseChannel.values else "",
        sample=sample if sample in {*SampleKind.values, POOLED} else "",
        weeks=filters.weeks,
    )
    return Choice(filters, against if against in AGAINST else BEFORE, other)


def comparison_of(scope: Scope, choice: Choice, this_week: Week) -> Comparison:
    """Both sides with every figure that both have, and which differences are more than chance among all of them."""
    filters = choice.filters
    other = choice.other if choice.against == GROUP else filters
    second_places = places_of(scope, other)
    view = view_of(scope, filters, beside=second_places)
    leaves = leaves_of(filters.weeks, by_week=False, with_year_ago=choice.against == YEAR)
    cells = read_cells(view, this_week, leaves)
    weeks = _STRETCHES[choice.against](filters.weeks)
    first = _side(scope, filters, view.places, latest(filters.weeks), this_week)
    second = _side(scope, other, second_places, weeks, this_week)
    scores = _scores(cells, first, second)
    shares = _shares(cells, first, second)
    standing = moved_among([*(row.change for row in scores), *(row.change for row in shares)])
    return Comparison(
        first,
        second,
        [replace(row, stands=stands) for row, stands in zip(scores, standing[: len(scores)], strict=True)],
        [replace(row, stands=stands) for row, stands in zip(shares, standing[len(scores) :], strict=True)],
    )


def _side(scope: Scope, filters: Filters, places: list[Place], stretches: list[Stretch], this_week: Week) -> Side:
    period = _period(stretches, filters, this_week)
    where = filters.store or filters.node
    source = Source(filters.channel, filters.sample)
    ways = [str(ResponseChannel(filters.channel).label)] if filters.channel else []
    if filters.sample:
        ways = [source.name]
    return Side(
        name=" · ".join([where.name if where else gettext("Everything"), *ways]),
        places=places,
        stretches=stretches,
        period=period.dates,
        until=period.last,
        filters=filters,
    )


def _period(stretches: list[Stretch], filters: Filters, this_week: Week) -> Period:
    return Period(this_week + -min(first for first, _ in stretches), filters.weeks)


def _scores(cells: Cells, first: Side, second: Side) -> list[NpsRow]:
    rows = []
    for one, other in _pairs(cells, first, second):
        here = cells.figure(first.places, one, first.stretches)
        there = cells.figure(second.places, other, second.stretches)
        if here.nps.n or there.nps.n:
            both = here.shown and there.shown
            rows.append(
                NpsRow(
                    name=one.name if one == other else f"{one.name} / {other.name}",
                    first=here,
                    second=there,
                    change=nps_difference(here.nps, there.nps) if both else None,
                    stands=False,
                    words=words_behind(first.filters, source=one, until=first.until),
                    other_words=words_behind(second.filters, source=other, until=second.until),
                )
            )
    return sorted(rows, key=lambda row: -row.first.nps.n)


def _pairs(cells: Cells, first: Side, second: Side) -> list[tuple[Source, Source]]:
    """Which ways of asking stand beside each other: like beside like, but for what was chosen to differ."""
    here, there = (Source(side.filters.channel, side.filters.sample) for side in (first, second))
    known = sorted(cells.nps)

    def ways(chosen: Source) -> list[Source]:
        return [chosen] if chosen.sample else [one for one in known if chosen.covers(one)]

    return [
        (one, other)
        for one in ways(here)
        for other in ways(there)
        if (one.channel == other.channel or here.channel != there.channel)
        and (one.sample == other.sample or here.sample != there.sample)
    ]


def _shares(cells: Cells, first: Side, second: Side) -> list[ShareRow]:
    loops = [closed_loop(cells, side.places, side.stretches, chosen_source(side.filters)) for side in (first, second)]
    rows = []
    for here, there in zip(*([*loop.contactable, *loop.fix_only, *loop.outcomes] for loop in loops), strict=True):
        if here.share.n or there.share.n:
            both = not here.hidden and not there.hidden
            rows.append(
                ShareRow(
                    name=here.name,
                    first=here,
                    second=there,
                    change=share_difference(here.share, there.share) if both else None,
                    stands=False,
                    words=_case_words(first),
                    other_words=_case_words(second),
                )
            )
    return rows


def _case_words(side: Side) -> str:
    return words_behind(side.filters, until=side.until, case="yes")

"""Two groups of answers beside each other: now and before, this year and last, or any two places and ways of asking."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext

from reports.cells import Cells, View, places_of, read_cells, view_of
from reports.figures import ANY_WAY, Figure, LoopShare, Source
from reports.filters import Filters, Scope, read_filters
from reports.lattice import Place
from reports.linking import nps_words, words_behind
from reports.overview import chosen_source, closed_loop, resolve
from reports.periods import Period, Week
from reports.statistics import MIN_SHOWN, Difference, Share, moved_among, nps_difference, share_difference
from reports.stretches import Stretch, before, divided, year_ago
from reports.topics import in_parts, read_topics
from sentiment.labels import topic_label
from surveys.choices import ResponseChannel, SampleKind

BEFORE, YEAR, GROUP = "before", "year", "group"
AGAINST = (BEFORE, YEAR, GROUP)
# What one group of answers is to another.
APART, SAME, WITHIN, AROUND, CROSSING = "apart", "same", "within", "around", "crossing"
_WAYS = [Source(channel, sample) for channel in ResponseChannel.values for sample in SampleKind.values]


@dataclass(frozen=True)
class Choice:
    """The two sides: `filters` are those of the first, and but for what `against` says those of the second."""

    filters: Filters
    against: str
    other: Filters
    # Whether something in the address made no sense and counts as not chosen.
    is_odd: bool = False

    def sides(self, this_week: Week) -> list[tuple[Filters, Period]]:
        """Which answers each side is made of."""
        other = self.other if self.against == GROUP else self.filters
        return [
            (self.filters, _period(self.filters.now, this_week)),
            (other, _period(self.then, this_week)),
        ]

    @property
    def then(self) -> list[Stretch]:
        """The weeks of the second side."""
        if self.against == GROUP:
            return self.other.now
        return (year_ago if self.against == YEAR else before)(self.filters.weeks, back=self.filters.back)

    def query(self) -> str:
        """The address of this comparison after the question mark."""
        chosen = {"against": self.against if self.against != BEFORE else ""}
        if self.against == GROUP:
            chosen |= {
                "node2": str(self.other.node.pk) if self.other.node else "",
                "store2": self.other.store.code if self.other.store else "",
                "channel2": self.other.channel,
                "sample2": self.other.sample,
                "weeks2": str(self.other.weeks) if self.other.weeks != self.filters.weeks else "",
                "until2": str(self.other.until) if self.other.until and self.other.until != self.filters.until else "",
            }
        more = urlencode({key: value for key, value in chosen.items() if value})
        own = self.filters.query().removeprefix("?")
        return "?" + "&".join(part for part in (own, more) if part)

    def until(self, week: Week | None) -> "Choice":
        """The same up to that week, and the other side too where it is of the same weeks."""
        same = self.other.until == self.filters.until
        other = replace(self.other, until=week) if same else self.other
        return replace(self, filters=replace(self.filters, until=week), other=other)

    def but(self, against: str) -> str:
        """The address of another kind of comparison."""
        return replace(self, against=against).query()


@dataclass(frozen=True)
class Side:
    """What one side is called, where and when it is. `rest`: it contains the other side, and its figures are of the
    answers that the other has not."""

    name: str
    places: list[Place]
    stretches: list[Stretch]
    span: Period
    filters: Filters
    rest: bool = False

    @property
    def period(self) -> str:
        return self.span.dates

    @property
    def until(self) -> Week:
        return self.span.last

    @property
    def source(self) -> Source:
        return chosen_source(self.filters)

    @property
    def words(self) -> str:
        """All words of the place in these weeks."""
        return words_behind(self.filters, source=ANY_WAY, until=self.until)


@dataclass(frozen=True)
class NpsRow:
    name: str
    first: Figure
    second: Figure
    change: Difference | None
    stands: bool
    words: str
    other_words: str
    # Whether both have answers in common, so that no difference can be told.
    overlap: bool = False
    ways: tuple[Source, Source] | None = None


@dataclass(frozen=True)
class ShareRow:
    name: str
    first: LoopShare
    second: LoopShare
    change: Difference | None
    stands: bool
    words: str
    other_words: str
    overlap: bool = False

    @property
    def both(self) -> tuple[tuple[LoopShare, str], tuple[LoopShare, str]]:
        """Each side's share, and where the words of its cases are."""
        return (self.first, self.words), (self.second, self.other_words)


@dataclass(frozen=True)
class Comparison:
    first: Side
    second: Side
    # What the first is to the second.
    relation: str
    scores: list[NpsRow]
    shares: list[ShareRow]
    # How many of those of the first score speak of what.
    topics: list[ShareRow]
    # The side to which nobody gave a score, where that may be told.
    empty: Side | None


def read_choice(request: HttpRequest, scope: Scope, filters: Filters, this_week: Week) -> Choice:
    """Raises Http404 for places outside the scope; any other senseless value counts as not chosen. The other side is of
    the same weeks unless others are chosen for it."""
    against = request.GET.get("against", "")
    other = read_filters(request, scope, this_week, mark="2", otherwise=filters)
    is_odd = filters.is_odd or other.is_odd or against not in ("", *AGAINST)
    return Choice(filters, against if against in AGAINST else BEFORE, other, is_odd)


def comparison_of(scope: Scope, choice: Choice, this_week: Week) -> Comparison:
    """Both sides with every figure that both have, and which differences are more than chance among all of them."""
    filters = choice.filters
    other = choice.other if choice.against == GROUP else filters
    second_places = places_of(scope, other)
    view = view_of(scope, filters, beside=second_places)
    cells = read_cells(view, this_week, divided([*filters.now, *choice.then]))
    first = _side(filters, view.places, filters.now, this_week)
    second = _side(other, second_places, choice.then, this_week)
    relation = _related(view, first, second, first.source, second.source)
    first = _named_rest(first) if relation == AROUND else first
    second = _named_rest(second) if relation == WITHIN else second
    scores = _scores(cells, first, second)
    shares = [] if relation == SAME else _shares(cells, first, second, overlap=relation == CROSSING)
    topics = _topics(cells, first, second, scores[0]) if scores else []
    changes = [*(row.change for row in scores), *(row.change for row in [*shares, *topics])]
    standing = iter(moved_among(changes))
    return Comparison(
        first,
        second,
        relation,
        [replace(row, stands=next(standing)) for row in scores],
        [replace(row, stands=next(standing)) for row in shares],
        [replace(row, stands=next(standing)) for row in topics],
        next(
            (
                side
                for side, of in ((first, 0), (second, 1))
                if _is_empty(cells, side, [row.both[of][0] for row in shares])
            ),
            None,
        ),
    )


def _is_empty(cells: Cells, side: Side, shares: Sequence[LoopShare]) -> bool:
    """Whether nobody gave a score of any kind, no case stands beside that, and a reader may know."""
    if side.rest or any(one.share.n or one.size_hidden for one in shares):
        return False
    return not any(
        cells.may_hold(lattice, side.places, stretch)
        for lattice in cells.lattices(side.source)
        for stretch in side.stretches
    )


def _side(filters: Filters, places: list[Place], stretches: list[Stretch], this_week: Week) -> Side:
    period = _period(stretches, this_week)
    where = filters.store or filters.node
    return Side(
        name=_name(where.name if where else gettext("Everything"), chosen_source(filters)),
        places=places,
        stretches=stretches,
        span=period,
        filters=filters,
    )


def _name(where: str, source: Source) -> str:
    return where if source == ANY_WAY else f"{where} · {source.name}"


def _named_rest(side: Side) -> Side:
    where = side.filters.store or side.filters.node
    name = gettext("The rest of %(name)s") % {"name": where.name} if where else gettext("Everything else")
    return replace(side, name=_name(name, side.source), rest=True)


def _period(stretches: list[Stretch], this_week: Week) -> Period:
    return Period(this_week + -min(first for first, _ in stretches), sum(end - first for first, end in stretches))


# --- what two groups have in common -----------------------------------------------------------------------------------
def _related(view: View, first: Side, second: Side, one: Source, other: Source) -> str:
    """What the first side's answers by one way of asking are to the second side's by another."""
    found = {
        _of_places(view, first.places, second.places),
        _of_sets(_weeks(first), _weeks(second)),
        _of_sets({way for way in _WAYS if one.covers(way)}, {way for way in _WAYS if other.covers(way)}),
    }
    if APART in found:
        return APART
    found.discard(SAME)
    return CROSSING if len(found) > 1 else found.pop() if found else SAME


def _of_places(view: View, first: list[Place], second: list[Place]) -> str:
    above = {child: parent for parent, children in view.below.items() for child in children}

    def is_in(place: Place | None, others: list[Place]) -> bool:
        while place is not None and place not in others:
            place = above.get(place)
        return place is not None

    within, around = all(is_in(one, second) for one in first), all(is_in(one, first) for one in second)
    if within or around:
        return SAME if within and around else WITHIN if within else AROUND
    meet = any(is_in(one, second) for one in first) or any(is_in(one, first) for one in second)
    return CROSSING if meet else APART


def _weeks(side: Side) -> set[int]:
    return {week for stretch in side.stretches for week in range(*stretch)}


def _of_sets(one: Set[Any], other: Set[Any]) -> str:
    if one == other:
        return SAME
    if one < other or one > other:
        return WITHIN if one < other else AROUND
    return CROSSING if one & other else APART


def _less(whole: Figure, part: Figure) -> Figure:
    """What is left of a figure without a part of it, where both are told, of the same weeks."""
    if not whole.shown or part.hidden or not whole.reach.leaves_a_rest(part.reach):
        return replace(whole, hidden=True, size_hidden=True)
    nps = whole.nps - part.nps
    return replace(whole, nps=nps, hidden=nps.n < MIN_SHOWN)


def _share_less(whole: LoopShare, part: LoopShare) -> LoopShare:
    told = not whole.hidden and (not part.hidden or not (part.share.n or part.size_hidden))
    if not told or not whole.reach.leaves_a_rest(part.reach):
        return replace(whole, suppressed=True, size_hidden=True)
    return replace(whole, share=Share(whole.share.part - part.share.part, whole.share.n - part.share.n))


# --- rows ---------------------------------------------------------------------------------------------------------
def _scores(cells: Cells, first: Side, second: Side) -> list[NpsRow]:
    rows = []
    for one, other in _pairs(cells, first, second):
        relation = _related(cells.view, first, second, one, other)
        here = cells.figure(first.places, one, first.stretches)
        there = cells.figure(second.places, other, second.stretches)
        if relation == SAME or not (here.nps.n or there.nps.n):
            continue
        words = nps_words(first.filters, source=one, until=first.until)
        other_words = nps_words(second.filters, source=other, until=second.until)
        apart = relation == APART
        if relation == WITHIN and second.rest:
            there, other_words, apart = _less(there, here), "", True
        elif relation == AROUND and first.rest:
            here, words, apart = _less(here, there), "", True
        both = apart and here.shown and there.shown
        rows.append(
            NpsRow(
                name=one.name if one == other else f"{one.name} / {other.name}",
                first=here,
                second=there,
                change=nps_difference(here.nps, there.nps) if both else None,
                stands=False,
                words=words,
                other_words=other_words,
                overlap=not apart,
                ways=(one, other),
            )
        )
    return sorted(rows, key=lambda row: -row.first.nps.n)


def _pairs(cells: Cells, first: Side, second: Side) -> list[tuple[Source, Source]]:
    """Which ways of asking stand beside each other: like beside like, but for what was chosen to differ, and the way
    that each side shows where no sample was chosen."""
    here, there = first.source, second.source
    known = sorted(cells.nps)

    def ways(chosen: Source) -> list[Source]:
        return [chosen] if chosen.sample else [one for one in known if chosen.covers(one)]

    like = [
        (one, other)
        for one in ways(here)
        for other in ways(there)
        if (one.channel == other.channel or here.channel != there.channel)
        and (one.sample == other.sample or here.sample != there.sample)
    ]
    if here == there:
        return like
    one, other = (resolve(cells, side.filters, side.stretches, side.places)[0] for side in (first, second))
    return like if one is None or other is None or (one, other) in like else [(one, other), *like]


def _shares(cells: Cells, first: Side, second: Side, *, overlap: bool) -> list[ShareRow]:
    loops = [closed_loop(cells, side.places, side.stretches, side.source) for side in (first, second)]
    rows = []
    for here, there in zip(*([*loop.contactable, *loop.fix_only, *loop.outcomes] for loop in loops), strict=True):
        if not (here.share.n or there.share.n):
            continue
        words = [words_behind(side.filters, until=side.until, loop=here.whole) for side in (first, second)]
        rows.append(_share_row(first, second, (here, there), words, overlap=overlap))
    return rows


def _topics(cells: Cells, first: Side, second: Side, row: NpsRow) -> list[ShareRow]:
    """What those of one row of scores speak of, the commonest first; nothing where it compares sums of several ways."""
    ways = row.ways or ()
    if row.change is None or any(one not in cells.nps for one in ways):
        return []
    sides = list(zip((first, second), ways, strict=True))
    told = [cells.shown_among(cells.lattice(one), side.places, side.stretches) for side, one in sides]
    rest = first.rest or second.rest
    if rest and told[0] != told[1]:
        return []
    spoken = read_topics(cells, ways)
    rows = []
    for topic in sorted({topic for side, one in sides for topic in spoken.topics([one], side.places)}):
        shown = [
            spoken.may_show(topic, [one], parts, side.places) for (side, one), parts in zip(sides, told, strict=True)
        ]
        shares = [
            LoopShare(
                topic,
                "",
                topic_label(topic),
                Share(spoken.sum_of(topic, [one], parts, side.places)[0], cells.nps_of(side.places, one, parts).n),
                suppressed=not able,
                size_hidden=not able and in_parts(parts),
            )
            for (side, one), parts, able in zip(sides, told, shown, strict=True)
        ]
        words = [nps_words(side.filters, source=one, until=side.until, topic=topic) for side, one in sides]
        rows.append(_share_row(first, second, shares, words))
    spoken_of = [one for one in rows if one.first.share.part or one.second.share.part]
    return sorted(spoken_of, key=lambda one: -(one.first.share.value or 0))


def _share_row(
    first: Side, second: Side, shares: Sequence[LoopShare], words: Sequence[str], *, overlap: bool = False
) -> ShareRow:
    """A row of both sides' shares: that of a rest is without the other's, and has no link to words."""
    here, there = shares
    if first.rest:
        here = _share_less(here, there)
    elif second.rest:
        there = _share_less(there, here)
    both = not overlap and not here.hidden and not there.hidden
    return ShareRow(
        name=here.name,
        first=here,
        second=there,
        change=share_difference(here.share, there.share) if both else None,
        stands=False,
        words="" if first.rest else words[0],
        other_words="" if second.rest else words[1],
        overlap=overlap,
    )

"""Who closes the loop: the service-level shares of places beside each other, and how shoppers score afterwards."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, DateTimeField, F, Func, IntegerField, QuerySet, Value
from django.db.models.functions import Cast

from alerts.models import Case
from reports.cells import Cells, buckets_of
from reports.figures import ANY_WAY, ClosedLoop, LoopShare
from reports.filters import Filters
from reports.lattice import Place, node_place, store_place
from reports.linking import at_place, words_behind
from reports.overview import closed_loop
from reports.periods import Period
from reports.recovering import midnight, scored_again
from reports.statistics import MIN_RANKED, MIN_SHOWN, Difference, Share, moved_among, paired_change, share_difference
from reports.stretches import Stretch, mondays, tops_of
from stores.models import Store
from surveys.choices import PROMOTER_AT_LEAST, UNHAPPY_AT_MOST, QuestionKind
from surveys.counting import left_out

# Above so many stores the league is about the places right below.
MOST_STORES = 600


@dataclass(frozen=True)
class LeagueRow:
    """A place and its shares; `unlike`: how far its share of reached shoppers is from that of all others together.
    `words` opens all its words, to be narrowed to cases."""

    name: str
    loop: ClosedLoop
    place: int
    unlike: Difference | None
    stands: bool
    left_out: int
    query: str
    words: str

    @property
    def shares(self) -> list[LoopShare]:
        return [*self.loop.contactable, *self.loop.fix_only, *self.loop.outcomes]


@dataclass(frozen=True)
class Recovery:
    """The same shoppers before and after a case: `gain` NPS points of those asked from 0 to 10, with its margin.

    Of every question how many were happy before and after. Never part of an NPS. `suppressed` when it would give away
    a neighbour's, or that of other weeks. `words` opens what they said at first.
    """

    question: str
    n: int
    suppressed: bool
    words: str
    gain: float | None
    margin: float
    happy: tuple[Share, Share]
    unhappy: tuple[Share, Share]

    @property
    def hidden(self) -> bool:
        return self.suppressed or self.n < MIN_SHOWN


@dataclass(frozen=True)
class League:
    total: ClosedLoop
    ranked: list[LeagueRow] = field(default_factory=list)
    few: list[LeagueRow] = field(default_factory=list)


def league_of(cells: Cells, filters: Filters, period: Period, stores: QuerySet[Store], *, of_stores: bool) -> League:
    """The shares of the places right below, or of every store, ranked where they have enough cases."""
    now = filters.now
    places = list(cells.view.children)
    if of_stores:
        places = list(dict.fromkeys(store for place in cells.view.places for store in cells.view.under(place)))
    loops = {place: closed_loop(cells, [place], now) for place in places}
    filled = [place for place in places if not loops[place].empty]
    total = closed_loop(cells, cells.view.places, now)
    unlike = {}
    for place in filled:
        reached = loops[place].contactable[0]
        if not reached.hidden and reached.share.n >= MIN_RANKED:
            unlike[place] = _unlike(total.contactable[0], reached)
    stands = dict(zip(unlike, moved_among(list(unlike.values())), strict=True))
    exempt = _left_out(cells, places, period, stores)
    able = sorted(unlike, key=lambda place: -(loops[place].contactable[0].share.value or 0))
    # One by itself is first of nothing.
    numbers = {place: number for number, place in enumerate(able, 1)} if len(able) > 1 else {}
    few = [place for place in filled if place not in unlike]
    few.sort(key=lambda place: -loops[place].contactable[0].share.n)

    def row(place: Place) -> LeagueRow:
        named = cells.view.named(place)
        return LeagueRow(
            name=named.name,
            loop=loops[place],
            place=numbers.get(place, 0),
            unlike=unlike.get(place),
            stands=stands.get(place, False),
            left_out=exempt.get(place, 0),
            query=at_place(filters, place, named),
            words=words_behind(filters, source=ANY_WAY, place=named),
        )

    return League(total, [row(place) for place in able], [row(place) for place in few])


def _unlike(whole: LoopShare, part: LoopShare) -> Difference | None:
    """How far a share is from that of all others, where both are told of the same weeks."""
    if whole.hidden or not whole.reach.leaves_a_rest(part.reach):
        return None
    return share_difference(part.share, Share(whole.share.part - part.share.part, whole.share.n - part.share.n))


def _left_out(cells: Cells, places: list[Place], period: Period, stores: QuerySet[Store]) -> dict[Place, int]:
    """How many cases of these weeks were no complaint or outside the store's control."""
    rows = (
        Case.objects.filter(store__in=stores, response__local_day__range=(period.start, period.end))
        .exclude(exemption="")
        .exclude(left_out("response__"))
        .order_by()
        .values_list("store_id", "store__node__path")
        .annotate(n=Count("pk"))
    )
    found: dict[Place, int] = defaultdict(int)
    wanted = set(places)
    for store_id, path, n in rows:
        above = [Place("node", int(part)) for part in path.strip("/").split("/")]
        for place in wanted.intersection([Place("store", store_id), *above]):
            found[place] += n
    return found


def recovery_of(cells: Cells, filters: Filters, stores: QuerySet[Store]) -> list[Recovery]:
    """How shoppers of these stores, which are those of the viewed places, score again after their case, beside what
    they said first. Weeks are those of UTC in which they scored again."""
    now = filters.now
    sizes = _scored_again(cells, tops_of(now))
    days = _days(cells, [(min(first for first, _ in now), max(end for _, end in now))])
    by_kind: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for kind, first, again, n in (
        scored_again(*days)
        .filter(case__store__in=stores)
        .values_list("case__response__headline_kind", "case__response__score", "score")
        .annotate(n=Count("pk"))
    ):
        by_kind[kind] += [(first, again)] * n
    return [
        _recovery(
            QuestionKind(kind),
            pairs,
            suppressed=not cells.shows(cells.lattice_of(sizes[kind]), cells.view.places, now),
            words=words_behind(filters, source=ANY_WAY, question=kind, again="1"),
        )
        for kind, pairs in sorted(by_kind.items())
    ]


def _days(cells: Cells, stretches: Sequence[Stretch]) -> tuple[date, date]:
    first, last = mondays((min(a for a, _ in stretches), max(b for _, b in stretches)), cells.this_week)
    return first, last + timedelta(days=6)


def _scored_again(cells: Cells, tops: Sequence[Stretch]) -> dict[str, dict[Stretch, dict[Place, int]]]:
    """How many scored again, by question, by leaf within `tops`, at each place of the view and those beside it."""
    leaves = [leaf for leaf in cells.leaves if any(low <= leaf[0] and leaf[1] <= high for low, high in tops)]
    oldest, starts = buckets_of(leaves, cells.this_week)
    rows = (
        scored_again(*_days(cells, leaves))
        .annotate(
            leaf=_Bucket(F("scored_at"), Cast(Value([midnight(day) for day in starts]), ArrayField(DateTimeField())))
        )
        .values_list("leaf", "case__response__headline_kind", "case__store_id", "case__store__node__path")
        .annotate(n=Count("pk"))
    )
    wanted = set(cells.view.all_places)
    found: dict[str, dict[Stretch, dict[Place, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for bucket, kind, pk, path, n in rows:
        leaf = oldest[bucket - 1]
        if leaf is None:
            continue
        above = [node_place(int(part)) for part in path.strip("/").split("/")]
        for place in wanted.intersection([store_place(pk), *above]):
            found[kind][leaf][place] += n
    return found


class _Bucket(Func):
    """Between which of the ascending values of an array something lies: 1 from the first on."""

    function = "width_bucket"
    output_field = IntegerField()


def _recovery(kind: QuestionKind, pairs: list[tuple[int, int]], *, suppressed: bool, words: str) -> Recovery:
    happy, unhappy = PROMOTER_AT_LEAST[kind], UNHAPPY_AT_MOST[kind]

    def stand(score: int) -> int:
        return (score >= happy) - (score <= unhappy)

    gain = paired_change([(stand(first), stand(again)) for first, again in pairs]) if kind == QuestionKind.NPS else None
    n = len(pairs)

    def shares(firsts: Collection[bool], agains: Collection[bool]) -> tuple[Share, Share]:
        return Share(sum(firsts), n), Share(sum(agains), n)

    return Recovery(
        question=str(kind.label),
        n=n,
        suppressed=suppressed,
        words=words,
        gain=gain[0] if gain else None,
        margin=gain[1] if gain else 0.0,
        happy=shares([first >= happy for first, _ in pairs], [again >= happy for _, again in pairs]),
        unhappy=shares([first <= unhappy for first, _ in pairs], [again <= unhappy for _, again in pairs]),
    )

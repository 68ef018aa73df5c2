"""From invitation and scan to an answer with words, by channel, by kind of touchpoint and by place; and whether that
has changed more than chance.

Of whom nothing but how many is told here, as in the mix of the ways of asking: no figure is about what anybody
answered. A share of fewer than MIN_SHOWN is left out, for it says nothing; and how many answered or began to, where
other pages hide how many answered (`Cells.tells_sizes`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from reports.asking_cells import COUNTS
from reports.cells import View, leaves_of, read_cells
from reports.figures import Source
from reports.filters import Filters
from reports.lattice import Place, node_place, store_place
from reports.linking import at_place, words_behind
from reports.models import AskedCount, AskedNodeWeek, AskedWeek
from reports.periods import Period, Week
from reports.statistics import MIN_SHOWN, Difference, Share, moved_among, share_difference
from stores.choices import TouchpointKind
from stores.models import Store
from surveys.choices import NotAskedReason, ResponseChannel
from surveys.models import NotAsked

# Of more stores the reasons why people were not asked are not counted here: they are read one by one.
MOST_STORES = 600
# A channel, and a kind of touchpoint where codes hang.
Way = tuple[str, str]
# Whether how many answered in these weeks may be told, and in those before.
Told = tuple[bool, bool]


@dataclass(frozen=True)
class Counts:
    """How many came how far: see `reports.asking_cells`."""

    invited: int = 0
    delivered: int = 0
    answered: int = 0
    scans: int = 0
    opens: int = 0
    begun: int = 0
    completed: int = 0
    with_words: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Counts)))


@dataclass(frozen=True)
class Pair:
    """Those of the weeks, and those of as many weeks before."""

    now: Counts = Counts()
    old: Counts = Counts()

    def __add__(self, other: "Pair") -> "Pair":
        return Pair(self.now + other.now, self.old + other.old)


class Pairs(defaultdict[Way, Pair]):
    """By way of asking."""

    def __init__(self) -> None:
        super().__init__(Pair)


# What each rate is, in words, and which counts it is made of.
RATES = {
    "delivered": _("Delivered, of invitations"),
    "response": _("Response rate: answered, of invitations"),
    "opened": _("Opened, of scans"),
    "begun": _("Begun, of opened pages"),
    "completion": _("Completion rate: sent, of begun"),
    "worded": _("With words, of answers"),
}
_INVITED, _WAYS = ("delivered", "response"), ("opened", "begun", "completion", "worded")
_PLACES = ("response", "begun", "completion", "worded")
# Which tell of none who answered, nor of who began to.
_BEFORE_ANSWERS = ("delivered", "opened")
_PARTS = {
    "delivered": ("delivered", "invited"),
    "response": ("answered", "invited"),
    "opened": ("opens", "scans"),
    "begun": ("begun", "opens"),
    "completion": ("completed", "begun"),
    "worded": ("with_words", "completed"),
}


@dataclass(frozen=True)
class Rate:
    """A share, and how far it is from that of the weeks before; `moved`: more than chance among all on the page."""

    share: Share
    change: Difference | None
    moved: bool = False


@dataclass(frozen=True)
class Row:
    """A way of asking or a place; `words` leads to what its answers say, `query` to the same page of a place. `hidden`:
    how many answered or began to is not told."""

    name: str
    now: Counts
    rates: Mapping[str, Rate]
    words: str = ""
    query: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Asking:
    """`counted_at`: by when all of it was counted; None: nothing was yet. `missing`: weeks that are still to come.

    `invited` are channels by which we wrote to people, `ways` all by which they came to a page.
    """

    invited: list[Row]
    ways: list[Row]
    places: list[Row]
    not_asked: list[tuple[str, int]]
    counted_at: datetime | None
    missing: int

    @property
    def empty(self) -> bool:
        return not (self.ways or self.invited or self.not_asked)

    @property
    def hides(self) -> bool:
        """Whether of anything it is not told how many answered."""
        return any(row.hidden for row in [*self.invited, *self.ways, *self.places])


def asking_of(view: View, stores: QuerySet[Store], filters: Filters, period: Period, this_week: Week) -> Asking:
    """Of the viewed places, which hold these stores, and of those right below them."""
    counted = _counted(view, period)
    cells = read_cells(view, this_week, leaves_of(filters.weeks, by_week=False, back=filters.back))

    def told(places: list[Place], channel: str = "") -> Told:
        source = Source(channel, "")
        return cells.tells_sizes(places, filters.now, source), cells.tells_sizes(places, filters.ago, source)

    whole, by_channel = Pairs(), Pairs()
    for place in view.places:
        for way, pair in counted[place].items():
            whole[way] += pair
            by_channel[way[0], ""] += pair
    invited = [
        _way((channel.value, ""), by_channel[channel.value, ""], filters, _INVITED, told(view.places, channel.value))
        for channel in ResponseChannel
        if by_channel[channel.value, ""].now.invited
    ]
    ways = [
        _way(way, whole[way], filters, _WAYS, told(view.places, way[0]))
        for way in sorted(whole, key=_order)
        if _came(whole[way].now)
    ]
    opened = {way for way, pair in whole.items() if _opens_told(pair.now)}
    # Of weeks whose openings were lost, or not counted yet, there is nothing to compare with.
    comparable = all(_opens_told(whole[way].old) for way in opened)
    places = [
        _row(
            view.named(place).name,
            sum(counted[place].values(), Pair()),
            _PLACES,
            told([place]),
            opened=_opened([pair for way, pair in counted[place].items() if way in opened], comparable=comparable),
            query=at_place(filters, place, view.named(place)),
        )
        for place in view.children
        if place in counted
    ]
    invited, ways, places = _judged([invited, ways, places])
    counts = AskedCount.objects.filter(monday__range=(period.before, period.end))
    done = dict(counts.values_list("monday", "counted_at"))
    return Asking(
        invited,
        ways,
        places,
        not_asked=_not_asked(stores, period) if stores.count() <= MOST_STORES else [],
        counted_at=done.get(period.last.monday),
        missing=2 * period.weeks - len(done),
    )


def _opens_told(counts: Counts) -> bool:
    """Whether all who began were seen to open: a tap on a smiley in a mail may come from no page of ours."""
    return counts.begun <= counts.opens


def _opened(pairs: list[Pair], *, comparable: bool) -> Pair:
    found = sum(pairs, Pair())
    return found if comparable else replace(found, old=Counts())


def _came(counts: Counts) -> bool:
    return bool(counts.scans or counts.opens or counts.begun)


def _order(way: Way) -> tuple[int, int]:
    channel, kind = way
    kinds = ["", *TouchpointKind.values]
    return ResponseChannel.values.index(channel), kinds.index(kind)


def _way(way: Way, pair: Pair, filters: Filters, wanted: Iterable[str], told: Told) -> Row:
    channel, kind = way
    if kind:
        words = words_behind(filters, source=Source("", ""), code=kind)
        return _row(str(TouchpointKind(kind).label), pair, wanted, told, words=words)
    words = words_behind(filters, source=Source(channel, ""))
    return _row(str(ResponseChannel(channel).label), pair, wanted, told, words=words)


def _row(
    name: str,
    pair: Pair,
    wanted: Iterable[str],
    told: Told,
    *,
    opened: Pair | None = None,
    words: str = "",
    query: str = "",
) -> Row:
    """`opened`: of several ways together those whose opened pages are known."""
    rates = {}
    for rate in wanted:
        of = opened if rate == "begun" and opened else pair
        now, old = (
            _share(counts, *_PARTS[rate]) if able or rate in _BEFORE_ANSWERS else None
            for counts, able in zip((of.now, of.old), told, strict=True)
        )
        if rate == "delivered" and pair.now.delivered < pair.now.answered:
            continue  # Told to us by whoever sends the messages, and not of these.
        if now:
            rates[rate] = Rate(now, share_difference(now, old) if old else None)
    return Row(name, pair.now, rates, words, query, hidden=not told[0])


def _share(counts: Counts, part: str, whole: str) -> Share | None:
    """None, too, where more came out than went in: counts were lost, or not kept yet."""
    some, of = getattr(counts, part), getattr(counts, whole)
    return Share(some, of) if MIN_SHOWN <= of >= some else None


def _judged(tables: list[list[Row]]) -> list[list[Row]]:
    """The same rows; those changes stand that are more than chance among all of them."""
    keys = [(row, name) for rows in tables for row in rows for name in row.rates]
    standing = iter(moved_among([row.rates[name].change for row, name in keys]))
    return [
        [
            replace(row, rates={name: replace(rate, moved=next(standing)) for name, rate in row.rates.items()})
            for row in rows
        ]
        for rows in tables
    ]


# --- reading ----------------------------------------------------------------------------------------------------
def _counted(view: View, period: Period) -> dict[Place, Pairs]:
    """What was counted of the viewed places and of those right below them."""
    nodes = [place.pk for place in view.places if place.kind == "node"]
    stores = [place.pk for place in view.places if place.kind == "store"]
    under = Q(pk__in=[])
    for pk in nodes:
        under |= Q(node__path__startswith=view.nodes[pk].path)
    found: dict[Place, Pairs] = defaultdict(Pairs)
    wanted = {*view.places, *view.children}
    for path, way, pair in _sums(AskedNodeWeek.objects.filter(under), "node__path", period):
        for place in wanted & {node_place(int(pk)) for pk in path.strip("/").split("/")}:
            found[place][way] += pair
    near = AskedWeek.objects.filter(Q(store__in=stores) | Q(store__node__in=nodes))
    for pk, way, pair in _sums(near, "store", period):
        found[store_place(pk)][way] += pair
    return found


def _sums(rows: QuerySet[Any], owner: str, period: Period) -> Iterator[tuple[Any, Way, Pair]]:
    sums = (
        rows.filter(monday__range=(period.before, period.end))
        .order_by()
        .annotate(is_now=ExpressionWrapper(Q(monday__gte=period.start), BooleanField()))
        .values_list(owner, "channel", "kind", "is_now")
        .annotate(**{f"sum_{name}": Sum(name) for name in COUNTS})
    )
    for one, channel, kind, is_now, *counts in sums:
        yield one, (channel, kind), Pair(now=Counts(*counts)) if is_now else Pair(old=Counts(*counts))


def _not_asked(stores: QuerySet[Store], period: Period) -> list[tuple[str, int]]:
    since = datetime.combine(period.start, time.min, UTC)
    until = datetime.combine(period.end, time.min, UTC) + timedelta(days=1)
    left = (
        NotAsked.objects.filter(store__in=stores, at__range=(since, until))
        .order_by()
        .values_list("reason")
        .annotate(n=Count("pk"))
    )
    return sorted(((str(NotAskedReason(reason).label), n) for reason, n in left), key=lambda one: -one[1])

"""The score weighted by purchases, and what its change is made of: both need every store by itself."""

from collections import defaultdict
from collections.abc import Collection, Hashable
from dataclasses import dataclass

from django.db.models import Sum

from reports.cells import Cells
from reports.figures import Source
from reports.filters import Filters
from reports.lattice import Lattice, Place
from reports.models import TrafficWeek
from reports.statistics import NO_ANSWERS, Change, Nps, Weighted, split_change, weighted_nps
from reports.stretches import Stretch, before, latest, mondays

# Above so many stores this is a page of its own.
MOST_STORES_BESIDE = 600
Group = tuple[Hashable, str]


@dataclass(frozen=True)
class Made:
    """`weighted` beside `plain`, the same answers without weights; None where nothing is known of purchases."""

    source: Source
    plain: Nps
    old: Nps
    split: Change | None
    weighted: Weighted | None
    hidden: bool

    @property
    def reach(self) -> float:
        """How far the drawing of the parts goes to either side, in points."""
        return max([5.0, *(abs(value) for _, value in self.parts)])

    @property
    def parts(self) -> list[tuple[str, float]]:
        """The parts of the change by name, in the order shown."""
        if self.split is None:
            return []
        return [("stores", self.split.stores), ("channels", self.split.channels), ("within", self.split.within)]


def made_of(cells: Cells, source: Source, filters: Filters) -> Made:
    """What the figure of the viewed places is made of, for one way of asking or the sum of several.

    Stores that are not shown by themselves are one group with their like below the nearest place that is: a weighted
    sum tells no more about them than a plain one.
    """
    now, ago = latest(filters.weeks), before(filters.weeks)
    wanted = [one for one in cells.sources([*now, *ago]) if source.covers(one)]
    new: dict[Group, Nps] = defaultdict(lambda: NO_ANSWERS)
    old: dict[Group, Nps] = defaultdict(lambda: NO_ANSWERS)
    members: dict[Group, set[tuple[int, str]]] = defaultdict(set)
    stores = [store for place in cells.view.places for store in cells.view.under(place)]
    above = {child: parent for parent, children in cells.view.below.items() for child in children}
    shown = [one for one in wanted if cells.shows(cells.lattice(one), cells.view.places, now)]
    by_channel: dict[str, list[Source]] = defaultdict(list)
    for one in shown:
        by_channel[one.channel].append(one)
    for channel, ways in by_channel.items():
        lattices = [cells.lattice(one) for one in ways]
        for store in stores:
            # Purchases are known by channel: a store is in one group for all the ways in which it asks there.
            place: Place | None = store
            while place is not None and not _all_show(lattices, place, [*now, *ago]):
                place = above.get(place)
            group = (place, channel)
            members[group].add((store.pk, channel))
            for one in ways:
                if one in cells.nps.get(store, {}):
                    new[group] += cells.nps_of([store], one, now)
                    old[group] += cells.nps_of([store], one, ago)
    plain = sum(new.values(), NO_ANSWERS)
    before_shown = all(cells.shows(cells.lattice(one), cells.view.places, ago) for one in shown)
    return Made(
        source=source,
        plain=plain,
        old=sum(old.values(), NO_ANSWERS),
        split=split_change(new, old) if before_shown else None,
        weighted=_weighted(cells, new, members, now),
        hidden=not shown,
    )


def _all_show(lattices: Collection[Lattice], place: Place, stretches: Collection[Stretch]) -> bool:
    """Whether the place shows each of these that has answers there, and there are any."""
    filled = [one for one in lattices if any(one.size(place, stretch) for stretch in stretches)]
    return bool(filled) and all(one.shows(place, stretches) for one in filled)


def _weighted(
    cells: Cells, new: dict[Group, Nps], members: dict[Group, set[tuple[int, str]]], now: Collection[Stretch]
) -> Weighted | None:
    first, last = mondays((min(a for a, _ in now), max(b for _, b in now)), cells.this_week)
    found = (
        TrafficWeek.objects.filter(
            monday__range=(first, last), store__in={pk for of in members.values() for pk, _ in of}
        )
        .values_list("store_id", "channel")
        .annotate(n=Sum("transactions"))
        .order_by()
    )
    traffic = {(store, channel): n for store, channel, n in found}
    if not traffic:
        return None
    return weighted_nps(
        (new.get(group, NO_ANSWERS), sum(traffic.get(member, 0) for member in of)) for group, of in members.items()
    )

"""The score weighted by purchases, and what its change is made of: both need every store by itself."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from reports.cells import MANY, Cells
from reports.figures import Source
from reports.filters import POOLED, Filters
from reports.lattice import Place, store_place
from reports.linking import nps_words
from reports.models import TrafficSpan, TrafficWeek
from reports.statistics import (
    NO_ANSWERS,
    Change,
    Difference,
    Nps,
    Weighted,
    all_of,
    nps_difference,
    split_change,
    weighted_nps,
)
from reports.stretches import Stretch, mondays
from reports.sums import in_spans

# Above so many stores this is a page of its own.
MOST_STORES_BESIDE = 600
# Stores that are summed up, by the place that stands for them, and the channel; and of each store which that is.
Group = tuple[Place | None, str]
Groups = Mapping[Place, Place | None]


@dataclass(frozen=True)
class Made:
    """`weighted` beside `plain`, the same answers without weights; None where nothing is known of purchases."""

    source: Source
    plain: Nps
    old: Nps
    split: Change | None
    weighted: Weighted | None
    hidden: bool
    words: str
    words_before: str
    # How many channels the answers came by, and where those of all samples are split, if these are not.
    channels: int = 0
    pooled_query: str = ""

    @property
    def whole(self) -> Difference | None:
        """The change that is split, with its margin."""
        return nps_difference(self.plain, self.old)

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


def split_source(source: Source, filters: Filters) -> Source:
    """What is split beside a figure of this way of asking: all channels of its sample, unless one was chosen, so that
    a shift between channels shows as such. Samples of different kinds are added up only when asked for."""
    return source if filters.channel else Source("", source.sample)


def made_of(cells: Cells, source: Source, filters: Filters) -> Made:
    """What the figure of the viewed places is made of, for one way of asking or the sum of several.

    Stores that are not shown by themselves are one group with their like below the nearest place that is: a weighted
    sum tells no more about them than a plain one.
    """
    now, ago = filters.now, filters.ago
    wanted = [one for one in cells.sources([*now, *ago]) if source.covers(one)]
    shown = [one for one in wanted if cells.shows(cells.lattice(one), cells.view.places, now)]
    # Purchases are known by channel: a store is in one group for all the ways in which it asks there.
    groups = {
        channel: _groups(cells, [one for one in shown if one.channel == channel], [*now, *ago])
        for channel in dict.fromkeys(one.channel for one in shown)
    }
    new, old = _sums(cells, shown, groups, now), _sums(cells, shown, groups, ago)
    plain = all_of(new.values())
    before_shown = all(cells.shows(cells.lattice(one), cells.view.places, ago) for one in shown)
    return Made(
        source=source,
        plain=plain,
        old=all_of(old.values()),
        split=split_change(new, old) if before_shown else None,
        weighted=_weighted(cells, new, groups, now),
        hidden=not shown,
        words=nps_words(filters, source=source),
        words_before=nps_words(filters, source=source, until=cells.this_week + -(filters.back + filters.weeks)),
        channels=len(groups),
        pooled_query="" if source == Source("", POOLED) else filters.but(channel="", sample=POOLED),
    )


def _groups(cells: Cells, ways: Collection[Source], stretches: Collection[Stretch]) -> Groups:
    """Of each store the nearest place that shows each of these ways of asking that has answers there, and any at all;
    None where not even the viewed places do."""
    lattices = [cells.lattice(one) for one in ways]
    filled = set[Place]().union(*(one.filled(stretches) for one in lattices))
    showing = filled - set[Place]().union(*(one.filled(stretches) - one.showing(stretches) for one in lattices))
    above = {child: parent for parent, children in cells.view.below.items() for child in children}

    def nearest(place: Place | None) -> Place | None:
        while place is not None and place not in showing:
            place = above.get(place)
        return place

    stores = (store for place in cells.view.places for store in cells.view.under(place))
    return {store: nearest(store) for store in stores}


def _sums(
    cells: Cells, ways: Collection[Source], groups: Mapping[str, Groups], stretches: Collection[Stretch]
) -> dict[Group, Nps]:
    """What the stores of each group answered."""
    found: dict[Group, Nps] = {}
    for one in ways:
        of_store, channel = groups[one.channel], one.channel
        for column in cells.columns(one, stretches):
            for store, nps in column.items():
                if store in of_store:
                    group = (of_store[store], channel)
                    found[group] = found[group] + nps if group in found else nps
    return found


def _weighted(
    cells: Cells, new: Mapping[Group, Nps], groups: Mapping[str, Groups], now: Collection[Stretch]
) -> Weighted | None:
    first, last = mondays((min(a for a, _ in now), max(b for _, b in now)), cells.this_week)
    some = ""
    values: dict[str, Any] = {"channels": list(groups)}
    stores = {store.pk for of_store in groups.values() for store in of_store}
    if len(stores) < MANY:
        some, values["stores"] = "AND store_id = ANY(%(stores)s)", list(stores)
    rows = []
    for number, (whole, begin, end) in enumerate(in_spans(first, last)):
        values[f"first_{number}"], values[f"last_{number}"] = begin, end
        table, when = (TrafficSpan._meta.db_table, "start") if whole else (TrafficWeek._meta.db_table, "monday")
        rows.append(
            f"SELECT store_id, channel, transactions FROM {table}"  # noqa: S608  (our own names)
            f" WHERE {when} BETWEEN %(first_{number})s AND %(last_{number})s AND channel = ANY(%(channels)s) {some}"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT store_id, channel, sum(transactions) FROM ({' UNION ALL '.join(rows)}) known GROUP BY 1, 2",  # noqa: S608
            values,
        )
        known = cursor.fetchall()
    traffic: dict[Group, int] = defaultdict(int)
    for pk, channel, n in known:
        store = store_place(pk)
        if store in groups[channel]:
            traffic[groups[channel][store], channel] += n
    if not traffic:
        return None
    return weighted_nps((new.get(group, NO_ANSWERS), n) for group, n in traffic.items())

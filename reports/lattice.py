"""Which place shows which stretch of weeks, decided from the top of the chain downwards."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache, cached_property, partial
from typing import NamedTuple

from reports.statistics import shown_at_the_top, shown_below
from reports.stretches import Stretch, parts_of


class Place(NamedTuple):
    """A node of the tree, or a store."""

    kind: str
    pk: int


# Pages of large chains name each place a dozen times: the same tuple is found faster than another is made.
@cache
def node_place(pk: int) -> Place:
    return Place("node", pk)


@cache
def store_place(pk: int) -> Place:
    return Place("store", pk)


Column = Mapping[Place, int]
# How many answers each place has in the smallest stretches that were counted; of none there is nothing.
Sizes = Mapping[Stretch, Column]


def _added(columns: Iterable[Column]) -> Column:
    found: dict[Place, int] = {}
    for column in columns:
        for place, n in column.items():
            found[place] = found.get(place, 0) + n
    return found


class Lattice:
    """What is shown of one measure of one way of asking: see `reports.statistics.showing`.

    `below` holds the places right below others, from `root` on, as far as anybody wants to know; `sizes` those of all
    of them and of the root by `leaves`: stretches that do not overlap and are divided no further.
    """

    def __init__(
        self,
        root: Place,
        below: Mapping[Place, Sequence[Place]],
        sizes: Sizes,
        leaves: Collection[Stretch],
        tops: Iterable[Stretch],
    ) -> None:
        self._root, self._below, self._sizes = root, below, sizes
        self._columns: dict[Stretch, Column] = {}
        self._leaves = set(leaves)
        self._tops = list(tops)
        self._decided: dict[Place | None, Mapping[Stretch, Collection[Place]]] = {}

    @cached_property
    def _above(self) -> dict[Place, Place]:
        return {place: above for above, places in self._below.items() for place in places}

    def _shown_of(self, above: Place | None) -> Mapping[Stretch, Collection[Place]]:
        """Which of the places right below one, None being above the root, show which stretches: decided when it is
        asked for, so that a page about one place does not decide about all those below it."""
        if above not in self._decided:
            if above is None:
                tops = shown_at_the_top(partial(self.size, self._root), self._tops, self._parts)
                self._decided[above] = {stretch: {self._root} for stretch in tops}
            else:
                self._decided[above] = shown_below(
                    self._below[above], self.column, partial(self._shows, above), self._tops, self._parts
                )
        return self._decided[above]

    def _parts(self, stretch: Stretch) -> list[Stretch]:
        """The parts of a stretch, if it was counted by them."""
        return [] if stretch in self._leaves else parts_of(stretch)

    def _shows(self, place: Place, stretch: Stretch) -> bool:
        above = self._above.get(place)
        if above is None and place != self._root:
            return False
        return place in self._shown_of(above).get(stretch, ())

    def column(self, stretch: Stretch) -> Column:
        """How many answers each place has in the stretch, of those that have any."""
        found = self._columns.get(stretch)
        if found is None:
            first, end = stretch
            within = [of for (a, b), of in self._sizes.items() if first <= a and b <= end]
            found = self._columns[stretch] = within[0] if len(within) == 1 else _added(within)
        return found

    def size(self, place: Place, stretch: Stretch) -> int:
        """How many answers the place has in the stretch."""
        return self.column(stretch).get(place, 0)

    def shows(self, place: Place, stretches: Iterable[Stretch]) -> bool:
        """Whether the place shows the sum of these stretches: all of them in which it has answers, and any at all."""
        wanted = [stretch for stretch in stretches if self.size(place, stretch)]
        return bool(wanted) and all(self._shows(place, stretch) for stretch in wanted)

    def showing(self, stretches: Collection[Stretch]) -> set[Place]:
        """All places of which `shows` is true, for thousands of them."""
        found = self.filled(stretches)
        decided = [self._shown_of(above) for above in (None, *self._below)]
        for stretch in stretches:
            found -= self.column(stretch).keys() - set[Place]().union(*(of.get(stretch, ()) for of in decided))
        return found

    def filled(self, stretches: Collection[Stretch]) -> set[Place]:
        """All places that have answers in any of these stretches."""
        return {place for stretch in stretches for place in self.column(stretch)}

    def tells_size(self, place: Place, stretches: Iterable[Stretch]) -> bool:
        """Whether at least the number of answers may be told: always of thirteen weeks, of parts with the figure. That
        there is none is told where it follows: where all is shown that there is beside it."""
        return all(self._tells_size(place, stretch) for stretch in stretches)

    def _tells_size(self, place: Place, stretch: Stretch) -> bool:
        if stretch in self._tops or self._shows(place, stretch):
            return True
        if self.size(place, stretch) or stretch not in self._wholes:
            return False
        whole = self._wholes[stretch]
        if not self.size(place, whole):
            return self._tells_size(place, whole)
        return any(self._shows(place, part) for part in self._parts(whole))

    @cached_property
    def _wholes(self) -> dict[Stretch, Stretch]:
        """What each stretch is a part of."""
        found, queue = {}, list(self._tops)
        while queue:
            whole = queue.pop()
            for part in self._parts(whole):
                found[part] = whole
                queue.append(part)
        return found

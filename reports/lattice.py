"""Which place shows which stretch of weeks, decided from the top of the chain downwards."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from reports.statistics import shown_at_the_top, shown_below
from reports.stretches import Stretch, parts_of


class Place(NamedTuple):
    """A node of the tree, or a store."""

    kind: str
    pk: int


def node_place(pk: int) -> Place:
    return Place("node", pk)


def store_place(pk: int) -> Place:
    return Place("store", pk)


# How many answers a place has in the smallest stretches that were counted.
Sizes = Mapping[Place, Mapping[Stretch, int]]


class Lattice:
    """What is shown of one measure of one way of asking: see `reports.statistics.showing`.

    `below` holds the places right below others, from `root` on, as far as anybody wants to know; `sizes` those of all
    of them by `leaves`: stretches that do not overlap and are divided no further.
    """

    def __init__(
        self,
        root: Place,
        below: Mapping[Place, Sequence[Place]],
        sizes: Sizes,
        leaves: Collection[Stretch],
        tops: Iterable[Stretch],
    ) -> None:
        self._sizes = sizes
        self._sums: dict[tuple[Place, Stretch], int] = {}
        self._leaves = set(leaves)
        self._tops = list(tops)
        self._shown: dict[Place, set[Stretch]] = defaultdict(set)
        self._shown[root] = shown_at_the_top(lambda stretch: self.size(root, stretch), self._tops, self._parts)
        queue = [root]
        while queue:
            place = queue.pop()
            children = below.get(place, ())
            if children and self._shown[place]:
                self._shown.update(shown_below(children, self.size, self._shown[place], self._tops, self._parts))
                queue += children

    def _parts(self, stretch: Stretch) -> list[Stretch]:
        """The parts of a stretch, if it was counted by them."""
        return [] if stretch in self._leaves else parts_of(stretch)

    def size(self, place: Place, stretch: Stretch) -> int:
        """How many answers the place has in the stretch."""
        found = self._sums.get((place, stretch))
        if found is None:
            of = self._sizes.get(place)
            found = 0
            if of:
                first, end = stretch
                found = of.get(stretch) or sum(n for (a, b), n in of.items() if first <= a and b <= end)
            self._sums[place, stretch] = found
        return found

    def shows(self, place: Place, stretches: Iterable[Stretch]) -> bool:
        """Whether the place shows the sum of these stretches: all of them in which it has answers, and any at all."""
        wanted = [stretch for stretch in stretches if self.size(place, stretch)]
        return bool(wanted) and all(stretch in self._shown[place] for stretch in wanted)

    def tells_size(self, place: Place, stretches: Iterable[Stretch]) -> bool:
        """Whether at least the number of answers may be told: always of thirteen weeks, of parts with the figure."""
        return all(stretch in self._tops or stretch in self._shown[place] for stretch in stretches)
